"""DenseNet (torchvision): every layer of a block reads all maps made before it in the block."""

from __future__ import annotations

from .builder import Net, Value

CONFIGURATIONS = {  # depth: growth rate, channels of the stem, layers of the four blocks
    121: (32, 64, (6, 12, 24, 16)),
    161: (48, 96, (6, 12, 36, 24)),
    169: (32, 64, (6, 12, 32, 32)),
}


def dense_layer(net: Net, at: str, maps: list[Value], growth: int) -> Value:
    """Normalise and narrow all maps so far to 4 growth channels, then a 3x3 that adds growth channels."""
    x = net.concat(f"{at}.concat", maps) if len(maps) > 1 else maps[0]
    x = net.relu(f"{at}.relu1", net.batch_norm(f"{at}.norm1", x))
    x = net.conv(f"{at}.conv1", x, 4 * growth, 1)
    x = net.relu(f"{at}.relu2", net.batch_norm(f"{at}.norm2", x))
    return net.conv(f"{at}.conv2", x, growth, 3, pad=1)


def densenet(depth: int) -> Net:
    """DenseNet-BC: between blocks the channels and the map are halved."""
    net = Net(
        f"densenet{depth}",
        "Huang et al., Densely Connected Convolutional Networks, 2017, table 1; "
        f"as torchvision's densenet{depth}",
    )
    growth, channels, blocks = CONFIGURATIONS[depth]
    x = net.conv("conv0", net.image(224), channels, 7, stride=2, pad=3)
    x = net.max_pool("pool0", net.relu("relu0", net.batch_norm("norm0", x)), 3, stride=2, pad=1)
    for block, layers in enumerate(blocks, start=1):
        net.section(f"denseblock{block}")
        maps = [x]
        for layer in range(1, layers + 1):
            maps.append(dense_layer(net, f"denseblock{block}.denselayer{layer}", maps, growth))
        x = net.concat(f"denseblock{block}.concat", maps)
        if block < len(blocks):
            at = f"transition{block}"
            x = net.relu(f"{at}.relu", net.batch_norm(f"{at}.norm", x))
            x = net.conv(f"{at}.conv", x, x.channels // 2, 1)
            x = net.average_pool(f"{at}.pool", x, 2, stride=2)
    x = net.relu("relu5", net.batch_norm("norm5", x))
    x = net.flatten(net.global_pool("avgpool", x))
    return net.classes(net.linear("classifier", x, 1000))
