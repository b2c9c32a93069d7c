"""The Inception line: GoogLeNet, Inception v2 (batch-normalised GoogLeNet) and v3."""

from __future__ import annotations

from .builder import Net, Value

Kernel = int | tuple[int, int]


def conv_bn_relu(
    net: Net, at: str, x: Value, filters: int, kernel: Kernel = 1, stride: int = 1, same: bool = True
) -> Value:
    """Convolution, batch norm, ReLU; `same` pads so that an unstrided map keeps its size."""
    rows, columns = kernel if isinstance(kernel, tuple) else (kernel, kernel)
    pad = (rows // 2, columns // 2) if same else 0
    x = net.conv(f"{at}.conv", x, filters, (rows, columns), stride=stride, pad=pad)
    return net.relu(f"{at}.relu", net.batch_norm(f"{at}.bn", x, epsilon=0.001))


def chain(net: Net, at: str, x: Value, *steps: tuple[int, Kernel]) -> Value:
    """Convolutions one after the other: (filters, kernel) each, all padded and unstrided."""
    for index, (filters, kernel) in enumerate(steps, start=1):
        x = conv_bn_relu(net, f"{at}_{index}", x, filters, kernel)
    return x


def pool_branch(net: Net, at: str, x: Value, filters: int, op: str = "average") -> Value:
    pool = net.average_pool if op == "average" else net.max_pool
    return conv_bn_relu(net, f"{at}.proj", pool(f"{at}.pool", x, 3, stride=1, pad=1), filters)


def googlenet() -> Net:
    """GoogLeNet without its auxiliary heads, batch-normalised; the "5x5" branch has 3x3 filters."""
    net = Net(
        "googlenet",
        "Szegedy et al., Going Deeper with Convolutions, 2015, table 1; as torchvision's googlenet without "
        "auxiliary heads, which normalises every convolution and has 3x3 filters in the 5x5 branch",
    )
    x = conv_bn_relu(net, "conv1", net.image(224), 64, 7, stride=2)
    x = net.max_pool("maxpool1", x, 3, stride=2, ceil=True)
    x = conv_bn_relu(net, "conv3", conv_bn_relu(net, "conv2", x, 64), 192, 3)
    x = net.max_pool("maxpool2", x, 3, stride=2, ceil=True)
    table = [  # 1x1, 3x3 reduce, 3x3, 5x5 reduce, 5x5, pool projection
        ("3a", 64, 96, 128, 16, 32, 32),
        ("3b", 128, 128, 192, 32, 96, 64),
        ("4a", 192, 96, 208, 16, 48, 64),
        ("4b", 160, 112, 224, 24, 64, 64),
        ("4c", 128, 128, 256, 24, 64, 64),
        ("4d", 112, 144, 288, 32, 64, 64),
        ("4e", 256, 160, 320, 32, 128, 128),
        ("5a", 256, 160, 320, 32, 128, 128),
        ("5b", 384, 192, 384, 48, 128, 128),
    ]
    for stage, one, reduce3, three, reduce5, five, projection in table:
        at = f"inception{stage}"
        if stage == "4a":
            x = net.max_pool("maxpool3", x, 3, stride=2, ceil=True)
        if stage == "5a":
            x = net.max_pool("maxpool4", x, 2, stride=2, ceil=True)
        branches = (
            conv_bn_relu(net, f"{at}.branch1", x, one),
            chain(net, f"{at}.branch2", x, (reduce3, 1), (three, 3)),
            chain(net, f"{at}.branch3", x, (reduce5, 1), (five, 3)),
        )
        pooled = net.max_pool(f"{at}.branch4.pool", x, 3, stride=1, pad=1)
        x = net.concat(
            f"{at}.concat", (*branches, conv_bn_relu(net, f"{at}.branch4.proj", pooled, projection))
        )
    x = net.flatten(net.global_pool("avgpool", x))
    return net.classes(net.linear("fc", x, 1000))


def inception_v2() -> Net:
    """Batch-normalised GoogLeNet (BN-Inception): two 3x3 in place of the 5x5, strides inside 3c and 4e."""
    net = Net(
        "inception_v2",
        "Ioffe and Szegedy, Batch Normalization, 2015, figure 5 (BN-Inception), a plain 7x7 stem; "
        "the pool projections of 4c and 4d have 96 filters, as in the onnx package's "
        "light_inception_v2 and TF-slim",
    )
    x = conv_bn_relu(net, "conv1", net.image(224), 64, 7, stride=2)
    x = net.max_pool("pool1", x, 3, stride=2, ceil=True)
    x = conv_bn_relu(net, "conv2", conv_bn_relu(net, "conv2_reduce", x, 64), 192, 3)
    x = net.max_pool("pool2", x, 3, stride=2, ceil=True)
    table = [  # 1x1, 3x3 reduce, 3x3, double 3x3 reduce, double 3x3, pool, its projection; no 1x1: stride 2
        ("3a", 64, 64, 64, 64, 96, "average", 32),
        ("3b", 64, 64, 96, 64, 96, "average", 64),
        ("3c", 0, 128, 160, 64, 96, "max", 0),
        ("4a", 224, 64, 96, 96, 128, "average", 128),
        ("4b", 192, 96, 128, 96, 128, "average", 128),
        ("4c", 160, 128, 160, 128, 160, "average", 96),
        ("4d", 96, 128, 192, 160, 192, "average", 96),
        ("4e", 0, 128, 192, 192, 256, "max", 0),
        ("5a", 352, 192, 320, 160, 224, "average", 128),
        ("5b", 352, 192, 320, 192, 224, "max", 128),
    ]
    for stage, one, reduce3, three, reduce_double, double, pool, projection in table:
        at = f"inception_{stage}"
        stride = 1 if one else 2
        branches = [conv_bn_relu(net, f"{at}.1x1", x, one)] if one else []
        y = conv_bn_relu(net, f"{at}.3x3_reduce", x, reduce3)
        branches.append(conv_bn_relu(net, f"{at}.3x3", y, three, 3, stride=stride))
        y = chain(net, f"{at}.double3x3", x, (reduce_double, 1), (double, 3))
        branches.append(conv_bn_relu(net, f"{at}.double3x3_3", y, double, 3, stride=stride))
        if projection:
            branches.append(pool_branch(net, at, x, projection, pool))
        else:
            branches.append(net.max_pool(f"{at}.pool", x, 3, stride=2, ceil=True))
        x = net.concat(f"{at}.concat", branches)
    x = net.flatten(net.global_pool("avgpool", x))
    return net.classes(net.linear("fc", x, 1000))


def inception_a(net: Net, at: str, x: Value, projection: int) -> Value:
    branches = (
        conv_bn_relu(net, f"{at}.branch1x1", x, 64),
        chain(net, f"{at}.branch5x5", x, (48, 1), (64, 5)),
        chain(net, f"{at}.branch3x3dbl", x, (64, 1), (96, 3), (96, 3)),
        pool_branch(net, f"{at}.branch_pool", x, projection),
    )
    return net.concat(f"{at}.concat", branches)


def inception_c(net: Net, at: str, x: Value, width: int) -> Value:
    """7x7 filters factored into 1x7 and 7x1."""
    branches = (
        conv_bn_relu(net, f"{at}.branch1x1", x, 192),
        chain(net, f"{at}.branch7x7", x, (width, 1), (width, (1, 7)), (192, (7, 1))),
        chain(
            net,
            f"{at}.branch7x7dbl",
            x,
            (width, 1),
            (width, (7, 1)),
            (width, (1, 7)),
            (width, (7, 1)),
            (192, (1, 7)),
        ),
        pool_branch(net, f"{at}.branch_pool", x, 192),
    )
    return net.concat(f"{at}.concat", branches)


def fork(net: Net, at: str, x: Value, filters: int) -> tuple[Value, Value]:
    """1x3 and 3x1 side by side."""
    return (
        conv_bn_relu(net, f"{at}_2a", x, filters, (1, 3)),
        conv_bn_relu(net, f"{at}_2b", x, filters, (3, 1)),
    )


def inception_e(net: Net, at: str, x: Value) -> Value:
    branches = (
        conv_bn_relu(net, f"{at}.branch1x1", x, 320),
        *fork(net, f"{at}.branch3x3", conv_bn_relu(net, f"{at}.branch3x3_1", x, 384), 384),
        *fork(net, f"{at}.branch3x3dbl", chain(net, f"{at}.branch3x3dbl", x, (448, 1), (384, 3)), 384),
        pool_branch(net, f"{at}.branch_pool", x, 192),
    )
    return net.concat(f"{at}.concat", branches)


def reduction(net: Net, at: str, x: Value, *branches: tuple[Value, int]) -> Value:
    """Halves the map: each branch ends in a strided 3x3 of so many filters, beside a max pool."""
    ends = [
        conv_bn_relu(net, f"{at}.branch{i}_end", value, filters, 3, stride=2, same=False)
        for i, (value, filters) in enumerate(branches)
    ]
    return net.concat(f"{at}.concat", (*ends, net.max_pool(f"{at}.pool", x, 3, stride=2)))


def stem_v3(net: Net) -> Value:
    """299x299 to 35x35x192; Inception-ResNet v2 has the same stem."""
    x = conv_bn_relu(net, "Conv2d_1a_3x3", net.image(299), 32, 3, stride=2, same=False)
    x = conv_bn_relu(net, "Conv2d_2a_3x3", x, 32, 3, same=False)
    x = conv_bn_relu(net, "Conv2d_2b_3x3", x, 64, 3)
    x = net.max_pool("maxpool1", x, 3, stride=2)
    x = conv_bn_relu(net, "Conv2d_3b_1x1", x, 80)
    x = conv_bn_relu(net, "Conv2d_4a_3x3", x, 192, 3, same=False)
    return net.max_pool("maxpool2", x, 3, stride=2)


def inception_v3() -> Net:
    """Inception v3 at 299, without its auxiliary head."""
    net = Net(
        "inception_v3",
        "Szegedy et al., Rethinking the Inception Architecture, 2016; as torchvision's inception_v3 without "
        "the auxiliary head",
    )
    x = stem_v3(net)
    for stage, projection in (("5b", 32), ("5c", 64), ("5d", 64)):
        x = inception_a(net, f"Mixed_{stage}", x, projection)
    double = chain(net, "Mixed_6a.branch3x3dbl", x, (64, 1), (96, 3))
    x = reduction(net, "Mixed_6a", x, (x, 384), (double, 96))
    for stage, width in (("6b", 128), ("6c", 160), ("6d", 160), ("6e", 192)):
        x = inception_c(net, f"Mixed_{stage}", x, width)
    three = conv_bn_relu(net, "Mixed_7a.branch3x3_1", x, 192)
    seven = chain(net, "Mixed_7a.branch7x7x3", x, (192, 1), (192, (1, 7)), (192, (7, 1)))
    x = reduction(net, "Mixed_7a", x, (three, 320), (seven, 192))
    for stage in ("7b", "7c"):
        x = inception_e(net, f"Mixed_{stage}", x)
    x = net.flatten(net.global_pool("avgpool", x))
    return net.classes(net.linear("fc", x, 1000))
