from __future__ import annotations

class Poly:
    pass

Dim = int | Poly
