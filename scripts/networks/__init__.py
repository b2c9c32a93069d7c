"""The networks that ship in workloads/, by name."""

from __future__ import annotations

from collections.abc import Callable

from . import classic, densenet, inception, inception_v4, mobile, resnet, transformers
from .builder import Net

NETWORKS: dict[str, Callable[[], Net]] = {
    "lenet": classic.lenet,
    "alexnet": classic.alexnet,
    "alexnet_torchvision": classic.alexnet_torchvision,
    "vgg16": lambda: classic.vgg(16),
    "vgg19": lambda: classic.vgg(19),
    "googlenet": inception.googlenet,
    "inception_v2": inception.inception_v2,
    "inception_v3": inception.inception_v3,
    "inception_v4": inception_v4.inception_v4,
    "inception_resnet_v2": inception_v4.inception_resnet_v2,
    "resnet18": lambda: resnet.resnet(18),
    "resnet34": lambda: resnet.resnet(34),
    "resnet50": lambda: resnet.resnet(50),
    "resnet101": lambda: resnet.resnet(101),
    "resnet152": lambda: resnet.resnet(152),
    "resnet50_cifar10": lambda: resnet.resnet(50, size=32, classes=10, name="resnet50_cifar10"),
    "resnet101_cifar10": lambda: resnet.resnet(101, size=32, classes=10, name="resnet101_cifar10"),
    "densenet121": lambda: densenet.densenet(121),
    "densenet161": lambda: densenet.densenet(161),
    "densenet169": lambda: densenet.densenet(169),
    "squeezenet1_0": lambda: classic.squeezenet("1.0"),
    "squeezenet1_1": lambda: classic.squeezenet("1.1"),
    "mobilenet_v1": mobile.mobilenet_v1,
    "mobilenet_v2": mobile.mobilenet_v2,
    "xception": mobile.xception,
    "se_resnext50": resnet.se_resnext50,
    "shufflenet_v1": mobile.shufflenet_v1,
    "bert_base": transformers.bert_base,
    "gpt2": transformers.gpt2,
    "gpt2_decode": lambda: transformers.gpt2(tokens=1, past=1023),
    "vit_b_16": transformers.vit_b_16,
}
