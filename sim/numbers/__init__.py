"""What rules may count with: reproducible arithmetic, addressed chance, and the marks for compiling them."""
