"""Parameters and multiply-accumulates of the networks that ship."""
