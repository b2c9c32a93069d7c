"""Separable convolutions: MobileNet v1 and v2, Xception, ShuffleNet v1."""

from __future__ import annotations

from .builder import Net, Value


def conv_bn_relu6(
    net: Net, at: str, x: Value, filters: int, kernel: int, stride: int = 1, groups: int = 1
) -> Value:
    x = net.conv(f"{at}.conv", x, filters, kernel, stride=stride, pad=kernel // 2, groups=groups)
    return net.relu6(f"{at}.relu6", net.batch_norm(f"{at}.bn", x))


def mobilenet_v1() -> Net:
    """MobileNet 1.0 at 224: thirteen pairs of a depthwise 3x3 and a pointwise convolution."""
    net = Net(
        "mobilenet_v1", "Howard et al., MobileNets, 2017, table 1; width 1.0, as timm's mobilenetv1_100"
    )
    x = conv_bn_relu6(net, "conv1", net.image(224), 32, 3, stride=2)
    table = [(64, 1), (128, 2), (128, 1), (256, 2), (256, 1), (512, 2), *[(512, 1)] * 5, (1024, 2), (1024, 1)]
    for index, (filters, stride) in enumerate(table, start=2):
        x = conv_bn_relu6(net, f"conv{index}.dw", x, x.channels, 3, stride=stride, groups=x.channels)
        x = conv_bn_relu6(net, f"conv{index}.pw", x, filters, 1)
    x = net.flatten(net.global_pool("avgpool", x))
    return net.classes(net.linear("fc", x, 1000))


def inverted_residual(net: Net, at: str, x: Value, expansion: int, filters: int, stride: int) -> Value:
    """Widen (1x1), depthwise 3x3, narrow (1x1, linear); a shortcut where the shape stays."""
    wide = x.channels * expansion
    y = x if expansion == 1 else conv_bn_relu6(net, f"{at}.expand", x, wide, 1)
    y = conv_bn_relu6(net, f"{at}.dw", y, wide, 3, stride=stride, groups=wide)
    y = net.batch_norm(f"{at}.project.bn", net.conv(f"{at}.project.conv", y, filters, 1))
    return net.add(f"{at}.add", x, y) if stride == 1 and x.channels == filters else y


def mobilenet_v2() -> Net:
    """MobileNet v2 1.0 at 224."""
    net = Net("mobilenet_v2", "Sandler et al., MobileNetV2, 2018, table 2; as torchvision's mobilenet_v2")
    x = conv_bn_relu6(net, "features.0", net.image(224), 32, 3, stride=2)
    table = [  # expansion, filters, repeats, stride of the first
        (1, 16, 1, 1),
        (6, 24, 2, 2),
        (6, 32, 3, 2),
        (6, 64, 4, 2),
        (6, 96, 3, 1),
        (6, 160, 3, 2),
        (6, 320, 1, 1),
    ]
    block = 1
    for expansion, filters, repeats, stride in table:
        for index in range(repeats):
            x = inverted_residual(
                net, f"features.{block}", x, expansion, filters, stride if index == 0 else 1
            )
            block += 1
    x = conv_bn_relu6(net, "features.18", x, 1280, 1)
    x = net.flatten(net.global_pool("avgpool", x))
    return net.classes(net.linear("classifier.1", x, 1000))


def separable(net: Net, at: str, x: Value, filters: int) -> Value:
    """A depthwise 3x3 and a pointwise convolution, normalised once."""
    x = net.conv(f"{at}.dw", x, x.channels, 3, pad=1, groups=x.channels)
    return net.batch_norm(f"{at}.bn", net.conv(f"{at}.pw", x, filters, 1))


def xception_block(
    net: Net, at: str, x: Value, filters: tuple[int, ...], stride: int = 1, starts_with_relu: bool = True
) -> Value:
    """Separable convolutions with ReLUs before them, pooled where strided, and a shortcut around them."""
    y = x
    for index, width in enumerate(filters, start=1):
        if index > 1 or starts_with_relu:
            y = net.relu(f"{at}.relu{index}", y)
        y = separable(net, f"{at}.sep{index}", y, width)
    if stride > 1:
        y = net.max_pool(f"{at}.pool", y, 3, stride=stride, pad=1)
    skip = x
    if stride > 1 or x.channels != filters[-1]:
        skip = net.batch_norm(f"{at}.skipbn", net.conv(f"{at}.skip", x, filters[-1], 1, stride=stride))
    return net.add(f"{at}.add", y, skip)


def xception() -> Net:
    """Xception at 299: entry, middle (eight equal blocks) and exit flow."""
    net = Net("xception", "Chollet, Xception, 2017, figure 5; as timm's legacy_xception")
    x = net.conv("conv1", net.image(299), 32, 3, stride=2)
    x = net.relu("relu1", net.batch_norm("bn1", x))
    x = net.relu("relu2", net.batch_norm("bn2", net.conv("conv2", x, 64, 3)))
    x = xception_block(net, "block1", x, (128, 128), stride=2, starts_with_relu=False)
    x = xception_block(net, "block2", x, (256, 256), stride=2)
    x = xception_block(net, "block3", x, (728, 728), stride=2)
    for block in range(4, 12):
        x = xception_block(net, f"block{block}", x, (728, 728, 728))
    x = xception_block(net, "block12", x, (728, 1024), stride=2)
    x = net.relu("relu3", separable(net, "conv3", x, 1536))
    x = net.relu("relu4", separable(net, "conv4", x, 2048))
    x = net.flatten(net.global_pool("avgpool", x))
    return net.classes(net.linear("fc", x, 1000))


def shuffle(net: Net, at: str, x: Value, groups: int, size: int) -> Value:
    """Deals the channels of each group out over all groups: (g, c) becomes (c, g)."""
    each = x.channels // groups
    y = net.reshape(f"{at}.split", x, (0, groups, each, size, size), x.channels)
    y = net.transpose(f"{at}.deal", y, (0, 2, 1, 3, 4))
    return net.reshape(f"{at}.join", y, (0, x.channels, size, size), x.channels)


def shuffle_unit(
    net: Net, at: str, x: Value, filters: int, groups: int, stride: int, first: int, size: int
) -> Value:
    """Grouped 1x1, shuffle, depthwise 3x3, grouped 1x1; strided units concatenate the pooled input.

    `first` is the number of groups of the first convolution, `size` the map's rows before the unit.
    """
    made = filters - x.channels if stride > 1 else filters
    y = net.conv(f"{at}.conv1", x, filters // 4, 1, groups=first)
    y = net.relu(f"{at}.relu1", net.batch_norm(f"{at}.bn1", y))
    if first > 1:
        y = shuffle(net, f"{at}.shuffle", y, groups, size)
    y = net.batch_norm(
        f"{at}.bn2", net.conv(f"{at}.dw", y, y.channels, 3, stride=stride, pad=1, groups=y.channels)
    )
    y = net.batch_norm(f"{at}.bn3", net.conv(f"{at}.conv3", y, made, 1, groups=groups))
    if stride > 1:
        y = net.concat(f"{at}.concat", (net.average_pool(f"{at}.pool", x, 3, stride=2, pad=1), y))
    else:
        y = net.add(f"{at}.add", x, y)
    return net.relu(f"{at}.relu3", y)


def shufflenet_v1() -> Net:
    """ShuffleNet 1x with three groups: stages of 240, 480 and 960 channels."""
    groups = 3
    net = Net("shufflenet_v1", "Zhang et al., ShuffleNet, 2018, table 1; 1x, three groups")
    x = net.conv("conv1", net.image(224), 24, 3, stride=2, pad=1)
    x = net.relu("relu1", net.batch_norm("bn1", x))
    x = net.max_pool("maxpool", x, 3, stride=2, pad=1)
    size = 56
    for stage, (filters, repeats) in enumerate([(240, 4), (480, 8), (960, 4)], start=2):
        for index in range(repeats):
            first = 1 if stage == 2 and index == 0 else groups  # 24 channels are too few to group
            stride = 2 if index == 0 else 1
            x = shuffle_unit(net, f"stage{stage}.{index}", x, filters, groups, stride, first, size)
            size //= stride
    x = net.flatten(net.global_pool("avgpool", x))
    return net.classes(net.linear("fc", x, 1000))
