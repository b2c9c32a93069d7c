"""Chains of plain convolutions: LeNet, AlexNet (both), VGG, SqueezeNet (both)."""

from __future__ import annotations

from .builder import Net, Value


def lenet() -> Net:
    """LeNet as the Caffe example has it: 28x28 digits, 20 and 50 filters, 500 hidden units."""
    net = Net(
        "lenet", "LeCun et al., Gradient-Based Learning, 1998; as BVLC/caffe examples/mnist/lenet.prototxt"
    )
    x = net.conv("conv1", net.image(28, channels=1), 20, 5, bias=True)
    x = net.max_pool("pool1", x, 2, stride=2)
    x = net.conv("conv2", x, 50, 5, bias=True)
    x = net.max_pool("pool2", x, 2, stride=2)
    x = net.relu("relu1", net.linear("ip1", net.flatten(x, pixels=4 * 4), 500))
    return net.classes(net.softmax("prob", net.linear("ip2", x, 10)))


def lrn(net: Net, name: str, x: Value) -> Value:
    return net.op(name, "LRN", (x.name,), x.channels, alpha=0.0001, beta=0.75, bias=1.0, size=5)


def alexnet() -> Net:
    """The original AlexNet: two groups in conv2, conv4 and conv5, 227x227 images, LRN before pooling."""
    net = Net(
        "alexnet",
        "Krizhevsky et al., ImageNet Classification with Deep CNNs, 2012; as BVLC/caffe models/bvlc_alexnet",
    )
    x = net.relu("relu1", net.conv("conv1", net.image(227), 96, 11, stride=4, bias=True))
    x = net.max_pool("pool1", lrn(net, "norm1", x), 3, stride=2)
    x = net.relu("relu2", net.conv("conv2", x, 256, 5, pad=2, groups=2, bias=True))
    x = net.max_pool("pool2", lrn(net, "norm2", x), 3, stride=2)
    x = net.relu("relu3", net.conv("conv3", x, 384, 3, pad=1, bias=True))
    x = net.relu("relu4", net.conv("conv4", x, 384, 3, pad=1, groups=2, bias=True))
    x = net.relu("relu5", net.conv("conv5", x, 256, 3, pad=1, groups=2, bias=True))
    x = net.flatten(net.max_pool("pool5", x, 3, stride=2), pixels=6 * 6)
    x = net.relu("relu6", net.linear("fc6", x, 4096))
    x = net.relu("relu7", net.linear("fc7", x, 4096))
    return net.classes(net.softmax("prob", net.linear("fc8", x, 1000)))


def alexnet_torchvision() -> Net:
    """The one-column AlexNet: no groups, 64 filters in the first layer, 224x224 images."""
    net = Net("alexnet_torchvision", "Krizhevsky, One weird trick, 2014; as torchvision's alexnet")
    table = [
        ("0", 64, 11, 4, 2),
        ("3", 192, 5, 1, 2),
        ("6", 384, 3, 1, 1),
        ("8", 256, 3, 1, 1),
        ("10", 256, 3, 1, 1),
    ]
    x = net.image(224)
    for index, filters, kernel, stride, pad in table:
        x = net.conv(f"features.{index}", x, filters, kernel, stride=stride, pad=pad, bias=True)
        x = net.relu(f"features.{int(index) + 1}", x)
        if index in ("0", "3", "10"):
            x = net.max_pool(f"features.{int(index) + 2}", x, 3, stride=2)
    x = net.flatten(x, pixels=6 * 6)
    x = net.relu("classifier.2", net.linear("classifier.1", x, 4096))
    x = net.relu("classifier.5", net.linear("classifier.4", x, 4096))
    return net.classes(net.linear("classifier.6", x, 1000))


def vgg(depth: int) -> Net:
    """VGG-16 (configuration D) or VGG-19 (E): five stages of 3x3 convolutions, then 4096-4096-1000."""
    net = Net(
        f"vgg{depth}",
        "Simonyan and Zisserman, Very Deep Convolutional Networks, 2015; "
        f"configuration {'D' if depth == 16 else 'E'}, as torchvision's vgg{depth}",
    )
    x = net.image(224)
    deep = {16: 3, 19: 4}[depth]
    for stage, (filters, repeat) in enumerate(
        [(64, 2), (128, 2), (256, deep), (512, deep), (512, deep)], start=1
    ):
        for index in range(1, repeat + 1):
            x = net.conv(f"conv{stage}_{index}", x, filters, 3, pad=1, bias=True)
            x = net.relu(f"relu{stage}_{index}", x)
        x = net.max_pool(f"pool{stage}", x, 2, stride=2)
    x = net.flatten(x, pixels=7 * 7)
    x = net.relu("relu6", net.linear("fc6", x, 4096))
    x = net.relu("relu7", net.linear("fc7", x, 4096))
    return net.classes(net.linear("fc8", x, 1000))


def fire(net: Net, at: str, x: Value, squeeze: int, expand: int) -> Value:
    x = net.relu(f"{at}.squeeze_relu", net.conv(f"{at}.squeeze", x, squeeze, 1, bias=True))
    small = net.relu(f"{at}.expand1x1_relu", net.conv(f"{at}.expand1x1", x, expand, 1, bias=True))
    large = net.relu(f"{at}.expand3x3_relu", net.conv(f"{at}.expand3x3", x, expand, 3, pad=1, bias=True))
    return net.concat(f"{at}.concat", (small, large))


def squeezenet(version: str) -> Net:
    """SqueezeNet 1.0 or 1.1: eight fire modules; 1.1 has a smaller stem and pools earlier."""
    net = Net(
        f"squeezenet{version.replace('.', '_')}",
        f"Iandola et al., SqueezeNet, 2016; as torchvision's squeezenet{version.replace('.', '_')}",
    )
    filters, kernel, pooled = (96, 7, (4, 8)) if version == "1.0" else (64, 3, (3, 5))
    x = net.relu("relu1", net.conv("conv1", net.image(224), filters, kernel, stride=2, bias=True))
    x = net.max_pool("pool1", x, 3, stride=2, ceil=True)
    sizes = [(16, 64), (16, 64), (32, 128), (32, 128), (48, 192), (48, 192), (64, 256), (64, 256)]
    for index, (squeeze, expand) in enumerate(sizes, start=2):
        x = fire(net, f"fire{index}", x, squeeze, expand)
        if index in pooled:
            x = net.max_pool(f"pool{index}", x, 3, stride=2, ceil=True)
    x = net.relu("relu10", net.conv("conv10", x, 1000, 1, bias=True))
    return net.classes(net.flatten(net.global_pool("pool10", x)))
