"""Transformers of width 768: BERT base, GPT-2 (whole sequence and one token), ViT-B/16."""

from __future__ import annotations

from .builder import Net, Value

WIDTH, HEADS, LAYERS = 768, 12, 12
EACH = WIDTH // HEADS
OPSET = 20  # the first with Gelu


def dense(net: Net, at: str, x: Value, features: int) -> Value:
    """x [N, T, C] times a weight [C, K], plus a bias."""
    weight, bias = net.weights(at, weight=(x.channels, features), bias=(features,))
    y = net.op(f"{at}.matmul", "MatMul", (x.name, weight), features)
    return net.op(at, "Add", (y.name, bias), features)


def split_heads(net: Net, at: str, x: Value, transposed: bool = False) -> Value:
    """[N, T, H E] to [N, H, T, E], or to [N, H, E, T] for the keys."""
    y = net.reshape(f"{at}.heads", x, (0, 0, HEADS, EACH), EACH)
    return net.transpose(f"{at}.headed", y, (0, 2, 3, 1) if transposed else (0, 2, 1, 3))


def attend(net: Net, at: str, query: Value, key: Value, value: Value, mask: str = "") -> Value:
    """softmax(query key / sqrt(E) + mask) value, for each head; back to [N, T, H E]."""
    scores = net.op(f"{at}.scores", "MatMul", (query.name, key.name))
    root = net.constant("root_of_head_size", EACH**0.5)
    scores = net.op(f"{at}.scaled", "Div", (scores.name, root))
    if mask:
        scores = net.op(f"{at}.masked", "Add", (scores.name, mask))
    weights = net.softmax(f"{at}.softmax", scores)
    mixed = net.op(f"{at}.mixed", "MatMul", (weights.name, value.name), EACH)
    mixed = net.transpose(f"{at}.mixed_back", mixed, (0, 2, 1, 3))
    return net.reshape(f"{at}.joined", mixed, (0, 0, WIDTH), WIDTH)


def thirds(net: Net, at: str, x: Value) -> tuple[Value, Value, Value]:
    """Query, key and value out of one projection."""
    names = (f"{at}.q", f"{at}.k", f"{at}.v")
    net.node(names, "Split", (x.name,), {"axis": 2, "num_outputs": 3})
    return Value(names[0], WIDTH), Value(names[1], WIDTH), Value(names[2], WIDTH)


def gelu_mlp(net: Net, first: str, act: str, second: str, x: Value, approximate: str = "none") -> Value:
    y = dense(net, first, x, 4 * WIDTH)
    y = net.op(act, "Gelu", (y.name,), y.channels, approximate=approximate)
    return dense(net, second, y, WIDTH)


def first_token(net: Net, x: Value) -> Value:
    """[N, T, C] to the [N, C] of token 0."""
    net.op("token_0", "Constant", (), value_int=0)
    return net.op("first_token", "Gather", (x.name, "token_0"), x.channels, axis=1)


def positions(net: Net, table: str, begin: int, end: int) -> str:
    """The rows begin..end of a table of position embeddings."""
    ends = [net.constant(f"position_{n}", (n,)) for n in (begin, end)]
    return net.op("positions", "Slice", (table, *ends, net.constant("axis_0", (0,)))).name


def bert_base(tokens: int = 128) -> Net:
    """BERT base, uncased: the encoder with its embeddings and pooler; no padding, so no mask."""
    net = Net("bert_base", "Devlin et al., BERT, 2019; as Hugging Face's bert-base-uncased", opset=OPSET)
    net.input("input_ids", ("N", tokens), "int64")
    net.input("token_type_ids", ("N", tokens), "int64")
    word = net.weight("embeddings.word_embeddings.weight", (30522, WIDTH))
    place = net.weight("embeddings.position_embeddings.weight", (512, WIDTH))
    kind = net.weight("embeddings.token_type_embeddings.weight", (2, WIDTH))
    x = net.op("embeddings.words", "Gather", (word, "input_ids"), WIDTH)
    x = net.add("embeddings.sum", x, net.op("embeddings.types", "Gather", (kind, "token_type_ids"), WIDTH))
    x = net.op("embeddings.placed", "Add", (x.name, positions(net, place, 0, tokens)), WIDTH)
    x = net.layer_norm("embeddings.LayerNorm", x, 1e-12)
    for index in range(LAYERS):
        at = f"layer.{index}"
        net.section(at)
        query = split_heads(net, f"{at}.query", dense(net, f"{at}.attention.query", x, WIDTH))
        key = split_heads(net, f"{at}.key", dense(net, f"{at}.attention.key", x, WIDTH), transposed=True)
        value = split_heads(net, f"{at}.value", dense(net, f"{at}.attention.value", x, WIDTH))
        y = attend(net, f"{at}.attention", query, key, value)
        y = net.add(f"{at}.attention.add", dense(net, f"{at}.attention.output", y, WIDTH), x)
        x = net.layer_norm(f"{at}.attention.LayerNorm", y, 1e-12)
        y = gelu_mlp(net, f"{at}.intermediate", f"{at}.gelu", f"{at}.output", x)
        x = net.layer_norm(f"{at}.LayerNorm", net.add(f"{at}.add", y, x), 1e-12)
    pooled = net.linear("pooler.dense", first_token(net, x), WIDTH)
    pooled = net.op("pooler.tanh", "Tanh", (pooled.name,), WIDTH)
    net.output(x, ("N", tokens, WIDTH))
    net.output(pooled, ("N", WIDTH))
    return net


def gpt2_block(net: Net, index: int, x: Value, past: int, mask: str) -> Value:
    """One layer; with `past` cached tokens the new key and value are appended to the cache and come out."""
    at = f"h.{index}"
    net.section(at)
    y = dense(net, f"{at}.attn.c_attn", net.layer_norm(f"{at}.ln_1", x), 3 * WIDTH)
    query, key, value = (split_heads(net, third.name, third) for third in thirds(net, f"{at}.attn", y))
    if past:
        cached = [net.input(f"past.{index}.{kind}", ("N", HEADS, past, EACH)) for kind in ("key", "value")]
        key = net.concat(f"present.{index}.key", (cached[0], key), axis=2)
        value = net.concat(f"present.{index}.value", (cached[1], value), axis=2)
        for present in (key, value):
            net.output(present, ("N", HEADS, past + 1, EACH))
    y = attend(net, f"{at}.attn", query, net.transpose(f"{at}.attn.keys", key, (0, 1, 3, 2)), value, mask)
    x = net.add(f"{at}.add1", x, dense(net, f"{at}.attn.c_proj", y, WIDTH))
    y = net.layer_norm(f"{at}.ln_2", x)
    y = gelu_mlp(net, f"{at}.mlp.c_fc", f"{at}.mlp.gelu", f"{at}.mlp.c_proj", y, approximate="tanh")
    return net.add(f"{at}.add2", x, y)


def gpt2(tokens: int = 1024, past: int = 0) -> Net:
    """GPT-2 of 124 M parameters with its head: a whole sequence, or one token on a cache of keys and values.

    With a cache the sequence seen is past + tokens long: GPT-2 has 1,024 positions, so 1,023 are cached when
    the last is computed. The head's weight is the word table itself.
    """
    name = "gpt2_decode" if past else "gpt2"
    what = f"one token, its key and value beside {past:,} cached" if past else f"{tokens:,} tokens at once"
    net = Net(
        name,
        f"Radford et al., Language Models are Unsupervised Multitask Learners, 2019; 124 M, {what}",
        opset=OPSET,
    )
    net.input("input_ids", ("N", tokens), "int64")
    mask = net.input("causal_mask", (1, 1, tokens, tokens)).name if tokens > 1 else ""
    words = net.weight("wte.weight", (50257, WIDTH))
    place = net.weight("wpe.weight", (1024, WIDTH))
    if past + tokens != 1024 or past:
        place = positions(net, place, past, past + tokens)
    x = net.op("words", "Gather", (words, "input_ids"), WIDTH)
    x = net.op("placed", "Add", (x.name, place), WIDTH)
    for index in range(LAYERS):
        x = gpt2_block(net, index, x, past, mask)
    x = net.reshape("rows", net.layer_norm("ln_f", x), (-1, WIDTH), WIDTH)
    x = net.op("lm_head", "Gemm", (x.name, words), 50257, transB=1)
    x = net.reshape("logits", x, (-1, tokens, 50257), 50257)
    net.output(x, ("N", tokens, 50257))
    return net


def vit_b_16() -> Net:
    """ViT-B/16 at 224: 196 patches and a class token."""
    net = Net(
        "vit_b_16",
        "Dosovitskiy et al., An Image is Worth 16x16 Words, 2021; as torchvision's vit_b_16",
        opset=OPSET,
    )
    image = net.image(224)
    x = net.conv("conv_proj", image, WIDTH, 16, stride=16, bias=True)
    x = net.transpose("tokens", net.reshape("patches", x, (0, WIDTH, 196), WIDTH), (0, 2, 1))
    net.op("batch", "Shape", (image.name,), start=0, end=1)
    net.op("class_shape", "Concat", ("batch", net.constant("one_token", (1, WIDTH))), axis=0)
    token = net.op("class_tokens", "Expand", (net.weight("class_token", (1, 1, WIDTH)), "class_shape"), WIDTH)
    x = net.op("sequence", "Concat", (token.name, x.name), WIDTH, axis=1)
    x = net.op("placed", "Add", (x.name, net.weight("encoder.pos_embedding", (1, 197, WIDTH))), WIDTH)
    for index in range(LAYERS):
        at = f"encoder.{index}"
        net.section(at)
        y = dense(net, f"{at}.in_proj", net.layer_norm(f"{at}.ln_1", x, 1e-6), 3 * WIDTH)
        query, key, value = thirds(net, f"{at}.attention", y)
        y = attend(
            net,
            f"{at}.attention",
            split_heads(net, query.name, query),
            split_heads(net, key.name, key, transposed=True),
            split_heads(net, value.name, value),
        )
        x = net.add(f"{at}.add1", x, dense(net, f"{at}.out_proj", y, WIDTH))
        y = net.layer_norm(f"{at}.ln_2", x, 1e-6)
        x = net.add(f"{at}.add2", x, gelu_mlp(net, f"{at}.mlp.0", f"{at}.mlp.gelu", f"{at}.mlp.3", y))
    x = first_token(net, net.layer_norm("encoder.ln", x, 1e-6))
    return net.classes(net.linear("heads.head", x, 1000))
