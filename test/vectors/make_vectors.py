#!/usr/bin/env python3
"""Golden vectors, made from docs/PROTOCOL.md and the curve's equation alone: standard library, none of our own code.

Writes encoding.json (encodings, hashes, Merkle roots) and zip215.json (the 14 encodings of points of small order) next
to itself. Run it again after a change of the protocol and read the difference.
"""

import hashlib
import json
import pathlib
import struct

HERE = pathlib.Path(__file__).parent


def sha256(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()


def tagged(tag: str, *parts: bytes) -> bytes:
    """BIP 340: SHA256(SHA256(tag) || SHA256(tag) || message)."""
    prefix = sha256(("pinledger/" + tag).encode())
    return sha256(prefix + prefix + b"".join(parts))


def u8(value):
    return struct.pack(">B", value)


def u16(value):
    return struct.pack(">H", value)


def u32(value):
    return struct.pack(">I", value)


def u64(value):
    return struct.pack(">Q", value)


def u48(value):
    return struct.pack(">Q", value)[2:]


def text(value):
    data = value.encode("utf-8")
    return u8(len(data)) + data


def decimal(mantissa, exponent):
    return struct.pack(">bq", exponent, mantissa)


# Made-up facts that use every byte position: no two bytes next to each other are alike.
GENESIS_HASH = sha256(b"a genesis")
NETWORK = GENESIS_HASH[:4]
FROM = bytes(range(0x20, 0x40))
TO = bytes(range(0x60, 0x80))
SIGNATURE = bytes(range(0x80, 0xC0))
TIME = 0x0192_5E4A_3B7C


def head(type_number, nonce, fee, expiry):
    return u8(type_number) + NETWORK + FROM + u64(nonce) + u64(fee) + u32(expiry)


def sample(sensor, sequence, mantissa, exponent, unit, time, synchronised):
    return text(sensor) + u64(sequence) + decimal(mantissa, exponent) + text(unit) + u48(time) + u8(synchronised)


def merkle_top(leaves):
    """RFC 6962 section 2.1: the left subtree has the largest power of two below n leaves."""
    if len(leaves) == 1:
        return leaves[0]
    k = 1
    while k * 2 < len(leaves):
        k *= 2
    return tagged("node", merkle_top(leaves[:k]), merkle_top(leaves[k:]))


def merkle_root(leaves):
    return tagged("root", u32(len(leaves)), merkle_top(leaves) if leaves else bytes(32))


def signed(name, body, json_mirror):
    return name, {
        "json": {**json_mirror, "signature": SIGNATURE.hex()},
        "bytes": (body + SIGNATURE).hex(),
        "id": tagged("transaction", GENESIS_HASH, body).hex(),
        "message": tagged("sign", GENESIS_HASH, body).hex(),
        "leaf": tagged("leaf", body + SIGNATURE).hex(),
    }


def json_head(type_name, nonce, fee, expiry):
    return {
        "type": type_name,
        "network": NETWORK.hex(),
        "from": FROM.hex(),
        "nonce": nonce,
        "fee": fee,
        "expiry": expiry,
    }


def encodings():
    largest = 2**53 - 1
    memo = "für 1 Messung ☀"
    json_sample = {
        "sensor": "soil-1.north_2",
        "sequence": 0x01_0203_0405_0607,
        "value": "-12.50",
        "unit": "%RH",
        "time": TIME,
        "synchronised": True,
    }
    json_warm = {
        "sensor": "cpu",
        "sequence": 0,
        "value": "9007199254740991e12",
        "unit": "/",
        "time": 0,
        "synchronised": False,
    }
    root = sha256(b"a batch root")
    parent, content = sha256(b"a parent"), sha256(b"a content")
    state_root, transactions_root, tick = sha256(b"a state"), sha256(b"transactions"), bytes(32)
    target = 0x00000FFF << 208 | 0xABCD
    nonce = bytes([1, 2, 3, 4, 5, 6, 7, 8])
    header = u8(1) + u32(70000) + parent + content + target.to_bytes(32, "big") + u48(TIME) + nonce
    assert len(header) == 115
    messages = [
        signed(
            "transfer",
            head(1, 7, 1000, 70000) + TO + u64(largest) + text(memo),
            {**json_head("transfer", 7, 1000, 70000), "to": TO.hex(), "amount": largest, "memo": memo},
        ),
        signed(
            "transfer without memo",
            head(1, 0, 0, 2**32 - 1) + TO + u64(0) + text(""),
            {**json_head("transfer", 0, 0, 2**32 - 1), "to": TO.hex(), "amount": 0, "memo": ""},
        ),
        signed(
            "reading",
            head(2, 8, 1, 99)
            + sample("soil-1.north_2", 0x01_0203_0405_0607, -1250, -2, "%RH", TIME, 1),
            {**json_head("reading", 8, 1, 99), "sample": json_sample},
        ),
        signed(
            "reading at the edges",
            head(2, largest, largest, 0) + sample("cpu", 0, largest, 12, "/", 0, 0),
            {**json_head("reading", largest, largest, 0), "sample": json_warm},
        ),
        signed(
            "batch",
            head(3, 9, 2, 100)
            + text("imu")
            + u64(5000)
            + u16(400)
            + text("m/s2")
            + u48(TIME)
            + u48(TIME + 3999)
            + u8(1)
            + root,
            {
                **json_head("batch", 9, 2, 100),
                "sensor": "imu",
                "sequence": 5000,
                "count": 400,
                "unit": "m/s2",
                "firstTime": TIME,
                "lastTime": TIME + 3999,
                "synchronised": True,
                "root": root.hex(),
            },
        ),
    ]
    coinbase_body = (
        u8(0) + NETWORK + FROM + u32(70000) + parent + u64(5_000_000_000) + tick + transactions_root + state_root
    )
    _, coinbase = signed(
        "coinbase",
        coinbase_body,
        {
            "type": 0,
            "network": NETWORK.hex(),
            "from": FROM.hex(),
            "height": 70000,
            "parent": parent.hex(),
            "reward": 5_000_000_000,
            "tick": tick.hex(),
            "transactionsRoot": transactions_root.hex(),
            "stateRoot": state_root.hex(),
        },
    )
    transactions = [bytes.fromhex(message["bytes"]) for _, message in messages]
    block = header + coinbase_body + SIGNATURE + u16(len(transactions)) + b"".join(transactions)
    return {
        "source": "make_vectors.py in this folder: struct and hashlib only",
        "genesisHash": GENESIS_HASH.hex(),
        "transactions": dict(messages),
        "coinbase": coinbase,
        "header": {
            "json": {
                "version": 1,
                "height": 70000,
                "parent": parent.hex(),
                "content": content.hex(),
                "target": f"{target:064x}",
                "time": TIME,
                "nonce": nonce.hex(),
            },
            "bytes": header.hex(),
            "hash": sha256(sha256(header)).hex(),
        },
        "block": {"bytes": block.hex()},
        "tagged": [
            {"tag": tag, "name": name, "parts": "|".join(part.hex() for part in parts), "hash": tagged(tag, *parts).hex()}
            for tag, name in TAGS
            for parts in ([], [b"abc"], [b"a", b"", b"bc"])
        ],
        "merkle": [
            {
                "leaves": b"".join(leaves).hex(),
                "root": merkle_root(leaves).hex(),
            }
            for count in (0, 1, 2, 3, 4, 5, 6, 7, 8, 9)
            for leaves in [[tagged("leaf", bytes([index])) for index in range(count)]]
        ],
    }


# The name in our code and the rest of the tag, section 2 of the protocol.
TAGS = [
    ("genesis", "genesis"),
    ("transaction", "transaction"),
    ("sign", "sign"),
    ("leaf", "leaf"),
    ("node", "node"),
    ("root", "root"),
    ("sample", "sample"),
    ("state-key", "stateKey"),
    ("state-leaf", "stateLeaf"),
    ("state-node", "stateNode"),
    ("login", "login"),
]

P = 2**255 - 19
D = -121665 * pow(121666, -1, P) % P


def square_root(value):
    """One of the two square roots modulo P, or None (RFC 8032 section 5.1.1)."""
    root = pow(value, (P + 3) // 8, P)
    if root * root % P != value % P:
        root = root * pow(2, (P - 1) // 4, P) % P
    return root if root * root % P == value % P else None


def add(a, b):
    (x1, y1), (x2, y2) = a, b
    product = D * x1 * x2 * y1 * y2
    return (
        (x1 * y2 + y1 * x2) * pow(1 + product, -1, P) % P,
        (y1 * y2 + x1 * x2) * pow(1 - product, -1, P) % P,
    )


def small_order():
    """All encodings, canonical or not, of the 8 points of small order: ZIP 215 allows each of them as key and R."""
    # A point of order 8 doubles to (x, 0), so x^2 = -y^2 and D y^4 + 2 y^2 - 1 = 0.
    root = square_root(1 + D)
    ys = [square_root((sign * root - 1) * pow(D, -1, P) % P) for sign in (1, -1)]
    y = next(value for value in ys if value is not None)
    generator = (square_root(-y * y % P), y)
    points, point = set(), (0, 1)
    for _ in range(8):
        points.add(point)
        point = add(point, generator)
    assert point == (0, 1) and len(points) == 8
    canonical, other = [], []
    for x, y in sorted(points):
        for integer in (y, y + P):
            if integer >= 2**255:
                continue
            for sign in (0, 1):
                # x = 0 has no sign: both are read as 0, and 1 is not canonical.
                if x != 0 and sign != x & 1:
                    continue
                encoding = (integer | sign << 255).to_bytes(32, "little").hex()
                (canonical if integer < P and sign == x & 1 else other).append(encoding)
    assert len(canonical) == 8 and len(other) == 6
    return {
        "source": "make_vectors.py in this folder, from the curve's equation; the 14 x 14 grid is that of ZIP 215",
        "canonical": sorted(canonical),
        "nonCanonical": sorted(other),
    }


def write(name, value):
    (HERE / name).write_text(json.dumps(value, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


write("encoding.json", encodings())
write("zip215.json", small_order())
