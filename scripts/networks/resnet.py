"""Residual networks: ResNet (torchvision), SE-ResNeXt-50 (timm legacy_seresnext50_32x4d)."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from .builder import Net, Value

Block = Callable[[Net, str, Value, int, int], Value]
"""Net, name, input, width, stride: the block's output."""

BASIC = {18: (2, 2, 2, 2), 34: (3, 4, 6, 3)}
BOTTLENECK = {50: (3, 4, 6, 3), 101: (3, 4, 23, 3), 152: (3, 8, 36, 3)}
RESNET_SOURCE = (
    "He et al., Deep Residual Learning for Image Recognition, 2016; as torchvision's resnet{depth} "
    "(the stride of a bottleneck is in its 3x3)"
)


def resnet(depth: int, size: int = 224, classes: int = 1000, name: str = "") -> Net:
    """ResNet of 18 to 152 layers, with basic blocks up to 34 and bottlenecks from 50."""
    source = RESNET_SOURCE.format(depth=depth)
    if size != 224:
        source += (
            f". The ImageNet network, stem and all, on {size}x{size} images with {classes} classes; "
            "not the narrower network that the paper made for CIFAR-10"
        )
    net = Net(name or f"resnet{depth}", source)
    x = net.conv("conv1", net.image(size), 64, 7, stride=2, pad=3)
    x = net.relu("relu", net.batch_norm("bn1", x))
    x = net.max_pool("maxpool", x, 3, stride=2, pad=1)
    block = basic_block if depth in BASIC else bottleneck
    x = stages(net, x, (BASIC | BOTTLENECK)[depth], block)
    x = net.flatten(net.global_pool("avgpool", x))
    return net.classes(net.linear("fc", x, classes))


def stages(net: Net, x: Value, repeats: Sequence[int], block: Block) -> Value:
    """Four stages of 64, 128, 256 and 512 channels; all but the first halve the map."""
    for stage, repeat in enumerate(repeats, start=1):
        net.section(f"layer{stage}")
        for index in range(repeat):
            stride = 2 if stage > 1 and index == 0 else 1
            x = block(net, f"layer{stage}.{index}", x, 32 << stage, stride)
    return x


def shortcut(net: Net, at: str, x: Value, channels: int, stride: int) -> Value:
    """The identity, or a 1x1 convolution where the shape changes."""
    if stride == 1 and x.channels == channels:
        return x
    x = net.conv(f"{at}.downsample.0", x, channels, 1, stride=stride)
    return net.batch_norm(f"{at}.downsample.1", x)


def basic_block(net: Net, at: str, x: Value, width: int, stride: int) -> Value:
    y = net.conv(f"{at}.conv1", x, width, 3, stride=stride, pad=1)
    y = net.relu(f"{at}.relu1", net.batch_norm(f"{at}.bn1", y))
    y = net.conv(f"{at}.conv2", y, width, 3, pad=1)
    y = net.batch_norm(f"{at}.bn2", y)
    y = net.add(f"{at}.add", y, shortcut(net, at, x, width, stride))
    return net.relu(f"{at}.relu2", y)


def bottleneck(net: Net, at: str, x: Value, width: int, stride: int) -> Value:
    y = net.conv(f"{at}.conv1", x, width, 1)
    y = net.relu(f"{at}.relu1", net.batch_norm(f"{at}.bn1", y))
    y = net.conv(f"{at}.conv2", y, width, 3, stride=stride, pad=1)
    y = net.relu(f"{at}.relu2", net.batch_norm(f"{at}.bn2", y))
    y = net.conv(f"{at}.conv3", y, 4 * width, 1)
    y = net.batch_norm(f"{at}.bn3", y)
    y = net.add(f"{at}.add", y, shortcut(net, at, x, 4 * width, stride))
    return net.relu(f"{at}.relu3", y)


def squeeze_excite(net: Net, at: str, x: Value, reduction: int = 16) -> Value:
    """Each channel times a factor in 0..1 that two small layers find from the channels' means."""
    y = net.global_pool(f"{at}.avgpool", x)
    y = net.relu(f"{at}.relu", net.conv(f"{at}.fc1", y, x.channels // reduction, 1, bias=True))
    y = net.conv(f"{at}.fc2", y, x.channels, 1, bias=True)
    y = net.op(f"{at}.sigmoid", "Sigmoid", (y.name,), y.channels)
    return net.mul(f"{at}.scale", x, y)


def se_resnext_block(net: Net, at: str, x: Value, planes: int, stride: int) -> Value:
    """A bottleneck whose 3x3 has 32 groups of planes/16 channels, with squeeze and excitation."""
    y = net.conv(f"{at}.conv1", x, 2 * planes, 1)
    y = net.relu(f"{at}.relu1", net.batch_norm(f"{at}.bn1", y))
    y = net.conv(f"{at}.conv2", y, 2 * planes, 3, stride=stride, pad=1, groups=32)
    y = net.relu(f"{at}.relu2", net.batch_norm(f"{at}.bn2", y))
    y = net.conv(f"{at}.conv3", y, 4 * planes, 1)
    y = squeeze_excite(net, f"{at}.se_module", net.batch_norm(f"{at}.bn3", y))
    y = net.add(f"{at}.add", y, shortcut(net, at, x, 4 * planes, stride))
    return net.relu(f"{at}.relu3", y)


def se_resnext50() -> Net:
    """SE-ResNeXt-50 (32x4d): the stem pools with ceil and no padding, as the original Caffe network does."""
    net = Net(
        "se_resnext50",
        "Hu et al., Squeeze-and-Excitation Networks, 2018; 32x4d as timm's legacy_seresnext50_32x4d",
    )
    x = net.conv("layer0.conv1", net.image(224), 64, 7, stride=2, pad=3)
    x = net.relu("layer0.relu1", net.batch_norm("layer0.bn1", x))
    x = net.max_pool("layer0.pool", x, 3, stride=2, ceil=True)
    x = stages(net, x, (3, 4, 6, 3), se_resnext_block)
    x = net.flatten(net.global_pool("avgpool", x))
    return net.classes(net.linear("last_linear", x, 1000))
