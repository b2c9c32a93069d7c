"""The Python API: load a network and a machine, cost the one on the other, look at rows and totals."""

import accelsim

net = accelsim.load("alexnet", batch=4)
arch = accelsim.arch("eyeriss", sets=["glb.size='64 KiB'"])
result = accelsim.run(net, arch, objective="energy")

print(result.schema, "-", len(result.rows), "layers,", f"{result.totals['macs']:,} MACs")

table = result.layers  # a pandas DataFrame, nested columns flattened
conv = table[table["op"] == "conv"].set_index("layer")
print(conv[["macs", "active_pes", "accesses.dram.W.read"]].to_csv(), end="")

first = result.rows[0]  # the same rows as plain dictionaries
print(first["mapping"].splitlines()[0])

figure = result.plot.energy()  # also .accesses() and .cycles(); matplotlib figures
figure.savefig("energy.png")
names = result.save("out")  # result.json, layers.csv and the pictures
print(*sorted(names))
