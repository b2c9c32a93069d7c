"""Inception v4 and Inception-ResNet v2 (Szegedy et al., 2017), as in timm."""

from __future__ import annotations

from .builder import Net, Value
from .inception import chain, conv_bn_relu, fork, pool_branch, reduction, stem_v3

PAPER = "Szegedy et al., Inception-v4, Inception-ResNet and the Impact of Residual Connections, 2017"


def stem_v4(net: Net) -> Value:
    """299x299 to 35x35x384 (figure 3 of the paper)."""
    x = conv_bn_relu(net, "stem1", net.image(299), 32, 3, stride=2, same=False)
    x = conv_bn_relu(net, "stem2", x, 32, 3, same=False)
    x = conv_bn_relu(net, "stem3", x, 64, 3)
    strided = conv_bn_relu(net, "mixed_3a.conv", x, 96, 3, stride=2, same=False)
    x = net.concat("mixed_3a.concat", (net.max_pool("mixed_3a.pool", x, 3, stride=2), strided))
    short = conv_bn_relu(net, "mixed_4a.branch0_1", x, 64)
    short = conv_bn_relu(net, "mixed_4a.branch0_2", short, 96, 3, same=False)
    long = chain(net, "mixed_4a.branch1", x, (64, 1), (64, (1, 7)), (64, (7, 1)))
    long = conv_bn_relu(net, "mixed_4a.branch1_4", long, 96, 3, same=False)
    x = net.concat("mixed_4a.concat", (short, long))
    strided = conv_bn_relu(net, "mixed_5a.conv", x, 192, 3, stride=2, same=False)
    return net.concat("mixed_5a.concat", (strided, net.max_pool("mixed_5a.pool", x, 3, stride=2)))


def block_a(net: Net, at: str, x: Value) -> Value:
    branches = (
        conv_bn_relu(net, f"{at}.branch0", x, 96),
        chain(net, f"{at}.branch1", x, (64, 1), (96, 3)),
        chain(net, f"{at}.branch2", x, (64, 1), (96, 3), (96, 3)),
        pool_branch(net, f"{at}.branch3", x, 96),
    )
    return net.concat(f"{at}.concat", branches)


def block_b(net: Net, at: str, x: Value) -> Value:
    branches = (
        conv_bn_relu(net, f"{at}.branch0", x, 384),
        chain(net, f"{at}.branch1", x, (192, 1), (224, (1, 7)), (256, (7, 1))),
        chain(net, f"{at}.branch2", x, (192, 1), (192, (7, 1)), (224, (1, 7)), (224, (7, 1)), (256, (1, 7))),
        pool_branch(net, f"{at}.branch3", x, 128),
    )
    return net.concat(f"{at}.concat", branches)


def block_c(net: Net, at: str, x: Value) -> Value:
    long = chain(net, f"{at}.branch2", x, (384, 1), (448, (3, 1)), (512, (1, 3)))
    branches = (
        conv_bn_relu(net, f"{at}.branch0", x, 256),
        *fork(net, f"{at}.branch1", conv_bn_relu(net, f"{at}.branch1_1", x, 384), 256),
        *fork(net, f"{at}.branch2_end", long, 256),
        pool_branch(net, f"{at}.branch3", x, 256),
    )
    return net.concat(f"{at}.concat", branches)


def inception_v4() -> Net:
    """Inception v4 at 299: 4 blocks A, 7 B, 3 C."""
    net = Net("inception_v4", f"{PAPER}; as timm's inception_v4")
    x = stem_v4(net)
    for index in range(4):
        x = block_a(net, f"inception_a{index}", x)
    x = reduction(
        net, "reduction_a", x, (x, 384), (chain(net, "reduction_a.branch1", x, (192, 1), (224, 3)), 256)
    )
    for index in range(7):
        x = block_b(net, f"inception_b{index}", x)
    short = conv_bn_relu(net, "reduction_b.branch0", x, 192)
    long = chain(net, "reduction_b.branch1", x, (256, 1), (256, (1, 7)), (320, (7, 1)))
    x = reduction(net, "reduction_b", x, (short, 192), (long, 320))
    for index in range(3):
        x = block_c(net, f"inception_c{index}", x)
    x = net.flatten(net.global_pool("avgpool", x))
    return net.classes(net.linear("last_linear", x, 1000))


def residual(
    net: Net, at: str, x: Value, branches: tuple[Value, ...], scale: float, relu: bool = True
) -> Value:
    """x + scale times a 1x1 convolution (with bias, not normalised) of the branches side by side."""
    y = net.conv(f"{at}.up", net.concat(f"{at}.concat", branches), x.channels, 1, bias=True)
    factor = net.constant(f"scale_{scale:.2f}".replace(".", "_"), scale)
    y = net.op(f"{at}.scaled", "Mul", (y.name, factor), x.channels)
    y = net.add(f"{at}.add", x, y)
    return net.relu(f"{at}.relu", y) if relu else y


def block35(net: Net, at: str, x: Value) -> Value:
    branches = (
        conv_bn_relu(net, f"{at}.branch0", x, 32),
        chain(net, f"{at}.branch1", x, (32, 1), (32, 3)),
        chain(net, f"{at}.branch2", x, (32, 1), (48, 3), (64, 3)),
    )
    return residual(net, at, x, branches, 0.17)


def block17(net: Net, at: str, x: Value) -> Value:
    branches = (
        conv_bn_relu(net, f"{at}.branch0", x, 192),
        chain(net, f"{at}.branch1", x, (128, 1), (160, (1, 7)), (192, (7, 1))),
    )
    return residual(net, at, x, branches, 0.1)


def block8(net: Net, at: str, x: Value, scale: float = 0.2, relu: bool = True) -> Value:
    branches = (
        conv_bn_relu(net, f"{at}.branch0", x, 192),
        chain(net, f"{at}.branch1", x, (192, 1), (224, (1, 3)), (256, (3, 1))),
    )
    return residual(net, at, x, branches, scale, relu)


def inception_resnet_v2() -> Net:
    """Inception-ResNet v2 at 299: 10, 20 and 10 residual blocks."""
    net = Net("inception_resnet_v2", f"{PAPER}; as timm's inception_resnet_v2")
    x = stem_v3(net)
    branches = (
        conv_bn_relu(net, "mixed_5b.branch0", x, 96),
        chain(net, "mixed_5b.branch1", x, (48, 1), (64, 5)),
        chain(net, "mixed_5b.branch2", x, (64, 1), (96, 3), (96, 3)),
        pool_branch(net, "mixed_5b.branch3", x, 64),
    )
    x = net.concat("mixed_5b.concat", branches)
    for index in range(10):
        x = block35(net, f"block35.{index}", x)
    x = reduction(net, "mixed_6a", x, (x, 384), (chain(net, "mixed_6a.branch1", x, (256, 1), (256, 3)), 384))
    for index in range(20):
        x = block17(net, f"block17.{index}", x)
    first = conv_bn_relu(net, "mixed_7a.branch0", x, 256)
    second = conv_bn_relu(net, "mixed_7a.branch1", x, 256)
    third = chain(net, "mixed_7a.branch2", x, (256, 1), (288, 3))
    x = reduction(net, "mixed_7a", x, (first, 384), (second, 288), (third, 320))
    for index in range(9):
        x = block8(net, f"block8.{index}", x)
    x = block8(net, "block8.9", x, scale=1.0, relu=False)
    x = conv_bn_relu(net, "conv2d_7b", x, 1536)
    x = net.flatten(net.global_pool("avgpool", x))
    return net.classes(net.linear("classif", x, 1000))
