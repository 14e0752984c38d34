"""Ed25519 as ZIP 215 has it, and account keys: docs/PROTOCOL.md section 3, from the equation of the curve."""
import hashlib

P = 2**255 - 19
L = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, -1, P) % P
ROOT = pow(2, (P - 1) // 4, P)
NEUTRAL = (0, 1, 1, 0)


def point_of(data):
    """Extended coordinates of an encoded point, canonical or not; None if there is no such point."""
    number = int.from_bytes(data, 'little')
    y, sign = number % 2**255 % P, number >> 255
    u, v = (y * y - 1) % P, (D * y * y + 1) % P
    x = u * pow(v, 3, P) * pow(u * pow(v, 7, P), (P - 5) // 8, P) % P
    if (v * x * x - u) % P:
        x = x * ROOT % P
    if (v * x * x - u) % P:
        return None
    if x & 1 != sign:
        x = -x % P
    return x, y, 1, x * y % P


def add(a, b):
    s, t = (a[1] - a[0]) * (b[1] - b[0]) % P, (a[1] + a[0]) * (b[1] + b[0]) % P
    c, d = 2 * D * a[3] * b[3] % P, 2 * a[2] * b[2] % P
    e, f, g, h = t - s, d - c, d + c, t + s
    return e * f % P, g * h % P, f * g % P, e * h % P


def negative(a):
    return -a[0] % P, a[1], a[2], -a[3] % P


def is_small(a):
    for _ in range(3):
        a = add(a, a)
    return a[0] % P == 0 and (a[1] - a[2]) % P == 0


B = point_of((4 * pow(5, -1, P) % P).to_bytes(32, 'little'))
POINTS = {}


def account_point(key):
    """The point of an account key, or None if it is not one; kept, because a few keys sign most."""
    if key not in POINTS:
        number = int.from_bytes(key, 'little')
        point = point_of(key) if number % 2**255 < P else None
        bad = point is None or is_small(point) or (point[0] == 0 and number >> 255)
        POINTS[key] = None if bad else point
    return POINTS[key]


def zip215(key, message, signature):
    a, r, s = point_of(key), point_of(signature[:32]), int.from_bytes(signature[32:], 'little')
    if a is None or r is None or s >= L:
        return False
    k = int.from_bytes(hashlib.sha512(signature[:32] + key + message).digest(), 'little') % L
    a = negative(a)
    sums = [NEUTRAL, B, a, add(B, a)]
    q = NEUTRAL
    for bit in range(252, -1, -1):
        q = add(q, q)
        which = (s >> bit & 1) + 2 * (k >> bit & 1)
        if which:
            q = add(q, sums[which])
    return is_small(add(q, negative(r)))


def quick_verifier():
    """A library's verifier, of which only the accept counts."""
    try:
        from nacl.signing import VerifyKey

        return lambda key, message, signature: VerifyKey(key).verify(message, signature)
    except ImportError:
        pass
    try:
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

        return lambda key, message, signature: Ed25519PublicKey.from_public_bytes(key).verify(signature, message)
    except ImportError:
        return None


class Signatures:
    """Checks every Nth signature, all if N is 1."""

    def __init__(self, every=1, quick=None):
        self.every, self.quick, self.seen, self.checked = every, quick, 0, 0

    def valid(self, key, message, signature):
        self.seen += 1
        if self.seen % self.every:
            return True
        self.checked += 1
        if self.quick is not None:
            try:
                self.quick(key, message, signature)
                return True
            except Exception:  # whatever a library says against it: ZIP-215 decides
                pass
        return zip215(key, message, signature)
