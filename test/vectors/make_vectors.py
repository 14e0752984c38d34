#!/usr/bin/env python3
"""Golden vectors, made from docs/PROTOCOL.md and the curve's equation alone: standard library, none of our own code.

Writes encoding.json (encodings, hashes, Merkle roots), messages.json (what nodes say to each other and write to disk),
ledger.json (a genesis, two blocks with their log, an enrolled network's three, a network with a slow hand and its ticks, targets, subsidies, state
roots, a login) and zip215.json (the 14 encodings of points of small order) next to itself, or into the folder that it is given. Run it again after a change of
the protocol and read the difference.
"""

import hashlib
import json
import pathlib
import struct
import sys

FOLDER = pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else pathlib.Path(__file__).parent


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


def hand_bytes(facts):
    """Section 14: the genesis of a slow hand."""
    return (
        text(facts["name"])
        + u48(facts["time"])
        + u32(facts["interval"])
        + u16(facts["halfLife"])
        + bytes.fromhex(facts["target"])
        + bytes.fromhex(facts["targetMax"])
    )


def hand_vector(facts):
    """A slow hand with its hash, and tick 0: a header alone."""
    data = hand_bytes(facts)
    name = tagged("hand", data)
    tick0 = u8(1) + u32(0) + name + bytes(32) + bytes.fromhex(facts["target"]) + u48(facts["time"]) + bytes(8)
    return {
        "json": facts,
        "bytes": data.hex(),
        "hash": name.hex(),
        "id": name[:4].hex(),
        "tick0": tick0.hex(),
        "tick0Hash": sha256(sha256(tick0)).hex(),
    }


def anchor_bytes(anchor):
    ledger, height, block = anchor
    return ledger + u32(height) + block


def anchor_json(anchor):
    ledger, height, block = anchor
    return {"ledger": ledger.hex(), "height": height, "block": block.hex()}


def anchors_root(anchors):
    return merkle_root([tagged("anchor", anchor_bytes(anchor)) for anchor in anchors])


def tick_bytes(header, anchors):
    return header + u16(len(anchors)) + b"".join(map(anchor_bytes, anchors))


def ticks():
    """Encodings of ticks that nobody mined: without anchors, with one and with three."""
    parent, target, nonce = sha256(b"a parent tick"), 0x00000FFF << 208 | 0xABCD, bytes([1, 2, 3, 4, 5, 6, 7, 8])
    # In ascending order of the ledgers, up to the largest height.
    heights = [0, 70000, 2**32 - 1]
    known = sorted(sha256(name) for name in (b"a ledger", b"another ledger", b"a third ledger"))
    anchors = [(ledger, height, sha256(ledger)) for ledger, height in zip(known, heights)]
    vectors = []
    for count in (0, 1, 3):
        content = anchors_root(anchors[:count])
        header = u8(1) + u32(700) + parent + content + target.to_bytes(32, "big") + u48(TIME) + nonce
        vectors.append(
            {
                "json": {
                    "header": {
                        "version": 1,
                        "height": 700,
                        "parent": parent.hex(),
                        "content": content.hex(),
                        "target": f"{target:064x}",
                        "time": TIME,
                        "nonce": nonce.hex(),
                    },
                    "anchors": [anchor_json(anchor) for anchor in anchors[:count]],
                },
                "bytes": tick_bytes(header, anchors[:count]).hex(),
                "hash": sha256(sha256(header)).hex(),
            }
        )
    return vectors


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


def trade_encodings():
    largest = 2**53 - 1
    channel, word, lock = sha256(b"a channel"), sha256(b"a word"), sha256(b"a secret")
    authorisation = bytes(range(0xC0, 0x100))

    def one(name, type_name, number, nonce, fields, json_fields):
        body = head(number, nonce, 5, 103) + fields
        return signed(name, body, {**json_head(type_name, nonce, 5, 103), **json_fields})

    shares = [(TO, 7000), (FROM[::-1], 1), (channel, 2000), (word, 999)]
    return [
        one(
            "channelOpen",
            "channelOpen",
            6,
            12,
            TO + u64(largest) + u32(360) + u32(2**32 - 1) + bytes(32) + u64(0) + text("readings soil"),
            {
                "to": TO.hex(),
                "amount": largest,
                "delay": 360,
                "until": 2**32 - 1,
                "anchor": bytes(32).hex(),
                "step": 0,
                "memo": "readings soil",
            },
        ),
        one(
            "channelOpen with a hash chain, the largest transaction",
            "channelOpen",
            6,
            13,
            TO + u64(1) + u32(1) + u32(0) + word + u64(100_000) + text("m" * 80),
            {
                "to": TO.hex(),
                "amount": 1,
                "delay": 1,
                "until": 0,
                "anchor": word.hex(),
                "step": 100_000,
                "memo": "m" * 80,
            },
        ),
        one(
            "channelClaim by signature",
            "channelClaim",
            7,
            14,
            channel + u8(1) + TO + u64(largest) + authorisation,
            {
                "channel": channel.hex(),
                "proof": {
                    "type": "signed",
                    "payer": TO.hex(),
                    "amount": largest,
                    "authorisation": authorisation.hex(),
                },
            },
        ),
        one(
            "channelClaim by word",
            "channelClaim",
            7,
            15,
            channel + u8(2) + u32(2**32 - 1) + word,
            {"channel": channel.hex(), "proof": {"type": "word", "steps": 2**32 - 1, "word": word.hex()}},
        ),
        one("channelClose", "channelClose", 8, 16, channel, {"channel": channel.hex()}),
        one(
            "hashlock",
            "hashlock",
            9,
            17,
            TO + u64(largest) + lock + u32(70360) + u48(TIME) + text("a day of vibration"),
            {
                "to": TO.hex(),
                "amount": largest,
                "lock": lock.hex(),
                "height": 70360,
                "time": TIME,
                "memo": "a day of vibration",
            },
        ),
        one(
            "hashlockClaim",
            "hashlockClaim",
            10,
            18,
            channel + word,
            {"hashlock": channel.hex(), "preimage": word.hex()},
        ),
        one("hashlockRefund", "hashlockRefund", 11, 19, channel, {"hashlock": channel.hex()}),
        one(
            "split",
            "split",
            12,
            20,
            u16(4) + b"".join(account + u16(parts) for account, parts in shares),
            {"shares": [{"account": account.hex(), "parts": parts} for account, parts in shares]},
        ),
        one("split with nobody", "split", 12, 21, u16(0), {"shares": []}),
    ]


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
        signed(
            "admission",
            head(4, 10, 3, 101) + TO,
            {**json_head("admission", 10, 3, 101), "member": TO.hex()},
        ),
        signed(
            "revocation",
            head(5, 11, 4, 102) + TO,
            {**json_head("revocation", 11, 4, 102), "member": TO.hex()},
        ),
        *trade_encodings(),
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
        "hand": hand_vector(
            {
                "name": "slow-hand.1",
                "time": TIME,
                "interval": 2**32 - 1,
                "halfLife": 2**16 - 1,
                "target": f"{target:064x}",
                "targetMax": "f" * 64,
            }
        ),
        "ticks": ticks(),
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
    ("checkpoint", "checkpoint"),
    ("claim", "claim"),
    ("word", "word"),
    ("offer", "offer"),
    ("delivery", "delivery"),
    ("key", "key"),
    ("wiring", "wiring"),
    ("lab", "lab"),
    ("tower", "tower"),
    ("lab-tick", "labTick"),
    ("file", "file"),
    ("hand", "hand"),
    ("anchor", "anchor"),
    ("secret", "secret"),
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



# Ed25519 signatures (RFC 8032 section 5.1), slow and plain.
L = 2**252 + 27742317777372353535851937790883648493
BASE_Y = 4 * pow(5, -1, P) % P
BASE_X = square_root((BASE_Y**2 - 1) * pow(D * BASE_Y**2 + 1, -1, P) % P)
BASE = (BASE_X if BASE_X % 2 == 0 else P - BASE_X, BASE_Y)


def multiply(scalar, point):
    result = (0, 1)
    for digit in bin(scalar)[2:]:
        result = add(result, result)
        if digit == "1":
            result = add(result, point)
    return result


def compress(point):
    return (point[1] | (point[0] & 1) << 255).to_bytes(32, "little")


def sha512_integer(*parts):
    return int.from_bytes(hashlib.sha512(b"".join(parts)).digest(), "little")


class Signer:
    def __init__(self, number):
        """Secret key: 32 bytes of the same number."""
        self.secret = bytes([number]) * 32
        digest = hashlib.sha512(self.secret).digest()
        self.scalar = int.from_bytes(digest[:32], "little") & ~7 & (1 << 254) - 1 | 1 << 254
        self.prefix = digest[32:]
        self.account = compress(multiply(self.scalar, BASE))

    def sign(self, message):
        r = sha512_integer(self.prefix, message) % L
        commitment = compress(multiply(r, BASE))
        k = sha512_integer(commitment, self.account, message)
        return commitment + ((r + k * self.scalar) % L).to_bytes(32, "little")


ALICE, BOB, CAROL = Signer(1), Signer(2), Signer(3)


def target_for(hashes):
    return 2**256 // hashes - 1


def next_target(target, solve_time, interval, half_life, target_max):
    """Section 4. Division truncates towards zero, shifts round down."""
    deviation = min(solve_time, 20 * interval) - interval
    numerator, denominator = deviation << 16, half_life * interval
    exponent = abs(numerator) // denominator * (1 if numerator >= 0 else -1)
    shifts, fraction = exponent >> 16, exponent & 0xFFFF
    factor = 65536 + (
        (195766423245049 * fraction + 971821376 * fraction**2 + 5127 * fraction**3 + 2**47) >> 48
    )
    shift = shifts - 16
    product = target * factor
    result = product << shift if shift >= 0 else product >> -shift
    return max(1, min(result, target_max))


def targets():
    first = target_for(2**20)
    easiest = target_for(256)
    cases = [(first, 600_000, 64, easiest, solve) for solve in (1, 300_000, 599_999, 600_000, 600_001, 1_200_000, 3_600_000, 11_999_999, 12_000_000, 12_000_001, 10**12)]
    cases += [(easiest, 4_000, 64, easiest, solve) for solve in (1, 3_999, 4_000, 4_001)]
    cases += [(1, 4_000, 1, easiest, solve) for solve in (1, 8_000, 24_000, 80_000)]
    cases += [(first, 100, 1, easiest, solve) for solve in (1, 50, 99, 150, 300, 2_000)]
    cases += [(2**256 - 1, 100, 1, 2**256 - 1, solve) for solve in (1, 2_000)]
    return [
        {
            "target": f"{target:064x}",
            "interval": interval,
            "halfLife": half_life,
            "targetMax": f"{target_max:064x}",
            "solveTime": solve,
            "next": f"{next_target(target, solve, interval, half_life, target_max):064x}",
            "work": str(2**256 // (target + 1)),
        }
        for target, interval, half_life, target_max, solve in cases
    ]


def subsidies():
    cases = [(5_000_000_000, 210_000, height) for height in (0, 1, 2, 210_000, 210_001, 420_000, 420_001, 840_001)]
    cases += [(5_000_000_000, 210_000, 210_000 * era + 1) for era in (31, 32, 33, 63, 64, 65)]
    cases += [(2**40 + 1, 1, height) for height in (1, 2, 40, 41, 42, 2_000, 2**32 - 1)]
    cases += [(0, 0, 1), (0, 0, 2**32 - 1)]
    return [
        {
            "subsidy": subsidy,
            "halvingInterval": halving,
            "height": height,
            "amount": 0 if height == 0 else subsidy if halving == 0 else subsidy >> ((height - 1) // halving),
        }
        for subsidy, halving, height in cases
    ]


ACCOUNT, REWARD, TOTALS, MEMBER = 0, 1, 2, 3


def state_path(kind, key):
    return tagged("state-key", u8(kind), key)


def subtree_root(leaves, depth):
    """Section 5. `leaves`: (path, value bytes)."""
    if not leaves:
        return bytes(32)
    if len(leaves) == 1:
        return tagged("state-leaf", *leaves[0])
    sides = ([], [])
    for leaf in leaves:
        sides[leaf[0][depth // 8] >> (7 - depth % 8) & 1].append(leaf)
    return tagged("state-node", subtree_root(sides[0], depth + 1), subtree_root(sides[1], depth + 1))


def state_root(entries):
    """Section 5. `entries`: (kind, key) -> value bytes."""
    return subtree_root([(state_path(kind, key), value) for (kind, key), value in entries.items()], 0)


def state_proof(entries, kind, key):
    """Section 5: bits, siblings and leaf that show an entry, or that there is none."""
    path = state_path(kind, key)
    leaves = [(state_path(*name), value) for name, value in entries.items()]
    bits, siblings, depth = bytearray(16), [], 0
    while len(leaves) > 1:
        own = path[depth // 8] >> (7 - depth % 8) & 1
        sides = ([], [])
        for leaf in leaves:
            sides[leaf[0][depth // 8] >> (7 - depth % 8) & 1].append(leaf)
        if sides[1 - own]:
            bits[depth // 8] |= 128 >> depth % 8
            siblings.append(subtree_root(sides[1 - own], depth + 1))
        leaves = sides[own]
        depth += 1
    leaf = b"".join(path + u32(len(value)) + value for path, value in leaves)
    return bytes(bits) + u16(len(siblings)) + b"".join(siblings) + u16(len(leaves)) + leaf


def states():
    def entry(number):
        return (ACCOUNT, sha256(b"account" + u8(number))), u64(number) + u64(1000 * number + 1)

    def case(name, entries):
        return {
            "name": name,
            "entries": [
                {"kind": kind, "key": key.hex(), "value": value.hex()} for (kind, key), value in entries.items()
            ],
            "root": state_root(entries).hex(),
            # Accounts with and without an entry; most of the latter end at another entry, some at an empty side.
            "proofs": [
                {
                    "account": key.hex(),
                    "entry": entries[(ACCOUNT, key)].hex() if (ACCOUNT, key) in entries else None,
                    "proof": state_proof(entries, ACCOUNT, key).hex(),
                }
                for key in (entry(number)[0][1] for number in (0, 1, 2, 17, 18, 19, 20))
            ],
        }

    twenty = dict(entry(number) for number in range(18))
    twenty[(REWARD, u64(0) * 3 + u64(7))] = BOB.account + u64(5_000_000_000)
    twenty[(TOTALS, bytes(32))] = u64(10_000_000_000) + u64(12) + u64(34)
    fewer = dict(twenty)
    for number in (0, 3, 17):
        del fewer[entry(number)[0]]
    cases = [case(f"{count} entries", dict(entry(number) for number in range(count))) for count in range(4)]
    cases.append(case("20 entries of every kind", twenty))
    cases.append(case("the same without accounts 0, 3 and 17", fewer))
    enrolled = dict(fewer)
    enrolled[(MEMBER, BOB.account)] = BOB.account + u32(70000)
    cases.append(case("the same with a member", enrolled))
    return cases


def genesis_bytes(facts):
    def accounts(list_):
        return u16(len(list_)) + b"".join(bytes.fromhex(account) for account in list_)

    return (
        u8(facts["version"])
        + text(facts["name"])
        + u48(facts["time"])
        + u32(facts["interval"])
        + u16(facts["halfLife"])
        + bytes.fromhex(facts["target"])
        + bytes.fromhex(facts["targetMax"])
        + u64(facts["subsidy"])
        + u32(facts["halvingInterval"])
        + u64(facts["feeFloor"])
        + u16(facts["maturity"])
        + u32(facts["blockBytesMax"])
        + u16(facts["blockSignaturesMax"])
        + u16(facts["slowRatio"])
        + accounts(facts["authorities"])
        + accounts(facts["checkpointSigners"])
        + u8(facts["checkpointThreshold"])
        + u16(len(facts["activations"]))
        + b"".join(u8(entry["type"]) + u32(entry["height"]) for entry in facts["activations"])
        + u16(len(facts["allocations"]))
        + b"".join(bytes.fromhex(entry["account"]) + u64(entry["amount"]) for entry in facts["allocations"])
        + (hand_bytes(facts["hand"]) if facts["version"] == 2 else b"")
    )


def mined(height, parent, content, target, time):
    """The header with the first nonce that is good enough."""
    start = u8(1) + u32(height) + parent + content + target.to_bytes(32, "big") + u48(time)
    nonce = 0
    while int.from_bytes(sha256(sha256(start + u64(nonce))), "big") > target:
        nonce += 1
    return start + u64(nonce)


class Ledger:
    """Blocks by hand: what goes into them and what they make of the state is written out, not computed."""

    def __init__(self, **other):
        self.genesis_json = {
            "version": 1,
            "name": "vectors",
            "time": 1_767_225_600_000,
            "interval": 4000,
            "halfLife": 64,
            "target": f"{target_for(16):064x}",
            "targetMax": f"{target_for(4):064x}",
            "subsidy": 5_000_000_000,
            "halvingInterval": 1,
            "feeFloor": 1000,
            "maturity": 1,
            "blockBytesMax": 4096,
            "blockSignaturesMax": 10,
            "slowRatio": 0,
            "authorities": [],
            "checkpointSigners": [],
            "checkpointThreshold": 0,
            "activations": [{"type": 1, "height": 0}, {"type": 2, "height": 1}, {"type": 3, "height": 2}],
            "allocations": [
                {"account": ALICE.account.hex(), "amount": 100_000_000_000},
                {"account": CAROL.account.hex(), "amount": 1},
            ],
            **other,
        }
        self.genesis = genesis_bytes(self.genesis_json)
        self.genesis_hash = tagged("genesis", self.genesis)
        self.network = self.genesis_hash[:4]
        self.state = {
            (ACCOUNT, ALICE.account): u64(0) + u64(100_000_000_000),
            (ACCOUNT, CAROL.account): u64(0) + u64(1),
            (TOTALS, bytes(32)): u64(100_000_000_001) + u64(0) + u64(0),
        }
        self.target, self.time = target_for(16), self.genesis_json["time"]
        self.state_root0 = state_root(self.state)
        self.header0 = (
            u8(1)
            + u32(0)
            + self.genesis_hash
            + self.state_root0
            + self.target.to_bytes(32, "big")
            + u48(self.time)
            + bytes(8)
        )
        self.parent = sha256(sha256(self.header0))
        self.height, self.work, self.solve_time = 0, 0, 4000
        self.records = [(1, self.genesis)]
        self.log = log_begin() + log_batch([(1, self.genesis)], 0)
        self.log_records = 1

    def signed(self, signer, type_number, nonce, fee, expiry, fields):
        body = u8(type_number) + self.network + signer.account + u64(nonce) + u64(fee) + u32(expiry) + fields
        return body + signer.sign(tagged("sign", self.genesis_hash, body))

    def block(self, miner, reward, transactions, changed, solve_time, tick=bytes(32)):
        """`changed`: (kind, key) -> value, or b"" when the entry goes."""
        changes = []
        for (kind, key), after in sorted(changed.items()):
            before = self.state.pop((kind, key), b"")
            if after:
                self.state[(kind, key)] = after
            changes.append(u8(kind) + key + u32(len(before)) + before + u32(len(after)) + after)
        height = self.height + 1
        state, root = state_root(self.state), merkle_root([tagged("leaf", tx) for tx in transactions])
        body = u8(0) + self.network + miner.account + u32(height) + self.parent + u64(reward) + tick + root + state
        coinbase = body + miner.sign(tagged("sign", self.genesis_hash, body))
        content = tagged("leaf", coinbase)
        if height > 1:
            facts = self.genesis_json
            self.target = next_target(
                self.target, self.solve_time, facts["interval"], facts["halfLife"], target_for(4)
            )
        self.time, self.solve_time = self.time + solve_time, solve_time
        header = mined(height, self.parent, content, self.target, self.time)
        self.parent, self.height, self.work = sha256(sha256(header)), height, self.work + 2**256 // (self.target + 1)
        block = header + coinbase + u16(len(transactions)) + b"".join(transactions)
        record = self.parent + u16(len(changes)) + b"".join(changes)
        batch = [(2, block), (3, record), (4, u32(0) + u16(1) + self.parent)]
        self.log += log_batch(batch, self.log_records)
        self.log_records += len(batch)
        return {
            "bytes": block.hex(),
            "hash": self.parent.hex(),
            "height": height,
            "target": f"{self.target:064x}",
            "content": content.hex(),
            "transactionsRoot": root.hex(),
            "ids": "|".join(tagged("transaction", self.genesis_hash, tx[:-64]).hex() for tx in transactions),
            "stateRoot": state.hex(),
            "changes": record.hex(),
            "work": str(self.work),
        }


def log_begin():
    return b"PINLOG" + u16(1)


def log_batch(records, first):
    """Section 10."""
    batch = b""
    for index, (kind, payload) in enumerate(records):
        head = u32(len(payload)) + u8(kind) + u8(1 if index == len(records) - 1 else 0) + u48(first + index)
        head += sha256(head)[:4]
        batch += head + payload + sha256(head + payload)[:8]
    return batch


def enrolled():
    """Alice is the authority: she admits Bob, who mines the next block and is revoked in the one after."""
    chain = Ledger(
        name="enrolled",
        halvingInterval=210_000,
        maturity=100,
        authorities=[ALICE.account.hex()],
        activations=[{"type": number, "height": 0} for number in (1, 2, 3, 4, 5)],
    )
    genesis = {"json": chain.genesis_json, "bytes": chain.genesis.hex(), "hash": chain.genesis_hash.hex()}

    def step(miner, transactions, changed, nonce, supply, count):
        height = chain.height + 1
        reward = {(REWARD, u64(0) * 3 + u64(height)): miner.account + u64(5_000_000_000)}
        alice = {(ACCOUNT, ALICE.account): u64(nonce) + u64(100_000_000_000)} if transactions else {}
        totals = {(TOTALS, bytes(32)): u64(supply) + u64(count) + u64(0)}
        return chain.block(miner, 5_000_000_000, transactions, {**reward, **alice, **totals, **changed}, 4000)

    member = (MEMBER, BOB.account)
    admission = chain.signed(ALICE, 4, 0, 0, 50, BOB.account)
    revocation = chain.signed(ALICE, 5, 1, 0, 50, BOB.account)
    blocks = [
        step(ALICE, [admission], {member: BOB.account + u32(1)}, 1, 105_000_000_001, 1),
        step(BOB, [], {}, 1, 110_000_000_001, 1),
        step(ALICE, [revocation], {member: b""}, 2, 115_000_000_001, 2),
    ]
    return {"genesis": genesis, "blocks": blocks, "log": chain.log.hex()}


class Hand:
    """A slow hand and its ticks, one after the other."""

    def __init__(self, facts):
        self.facts, self.vector = facts, hand_vector(facts)
        self.parent, self.time = bytes.fromhex(self.vector["tick0Hash"]), facts["time"]
        self.target, self.solve_time = int(facts["target"], 16), 0
        self.height, self.work = 0, 0
        self.log = log_begin() + log_batch([(1, hand_bytes(facts))], 0)

    def tick(self, anchors, solve_time):
        facts = self.facts
        if self.height > 0:
            self.target = next_target(
                self.target, self.solve_time, facts["interval"], facts["halfLife"], int(facts["targetMax"], 16)
            )
        self.height, self.time, self.solve_time = self.height + 1, self.time + solve_time, solve_time
        content = anchors_root(anchors)
        header = mined(self.height, self.parent, content, self.target, self.time)
        self.parent, self.work = sha256(sha256(header)), self.work + 2**256 // (self.target + 1)
        data = tick_bytes(header, anchors)
        self.log += log_batch([(2, data)], self.height)
        return {
            "bytes": data.hex(),
            "hash": self.parent.hex(),
            "height": self.height,
            "target": f"{self.target:064x}",
            "content": content.hex(),
            "anchors": [anchor_json(anchor) for anchor in anchors],
            "work": str(self.work),
        }


def handed():
    """A network with a slow hand: a tick, a block that names it, a tick that anchors the block, one with other ledgers', too."""
    hand = Hand(
        {
            "name": "slow",
            "time": 1_767_225_600_000,
            "interval": 24_000,
            "halfLife": 16,
            "target": f"{target_for(64):064x}",
            "targetMax": f"{target_for(16):064x}",
        }
    )
    chain = Ledger(version=2, name="handed", halvingInterval=210_000, maturity=100, slowRatio=6, hand=hand.facts)
    block0 = chain.parent
    first = hand.tick([], 9_000)
    block = chain.block(
        BOB,
        5_000_000_000,
        [],
        {
            (REWARD, u64(0) * 3 + u64(1)): BOB.account + u64(5_000_000_000),
            (TOTALS, bytes(32)): u64(105_000_000_001) + u64(0) + u64(0),
        },
        4000,
        hand.parent,
    )
    own = (chain.genesis_hash, 1, chain.parent)
    second = hand.tick([own], 600_000)
    others = [(sha256(name), 7, sha256(name + b"'s block")) for name in (b"a ledger", b"another ledger")]
    third = hand.tick(sorted([own, *others]), 1)
    return {
        "genesis": {
            "json": chain.genesis_json,
            "bytes": chain.genesis.hex(),
            "hash": chain.genesis_hash.hex(),
            "network": chain.network.hex(),
            "stateRoot": chain.state_root0.hex(),
            "block0": chain.header0.hex(),
            "block0Hash": block0.hex(),
        },
        "blocks": [block],
        "log": chain.log.hex(),
        "hand": hand.vector,
        "ticks": [first, second, third],
        "handLog": hand.log.hex(),
    }


def ledger():
    chain = Ledger()
    block0 = chain.header0
    facts = {
        "source": "make_vectors.py in this folder: struct, hashlib and the curve's equation",
        "signers": [
            {"secret": signer.secret.hex(), "account": signer.account.hex()} for signer in (ALICE, BOB, CAROL)
        ],
        "genesis": {
            "json": chain.genesis_json,
            "bytes": chain.genesis.hex(),
            "hash": chain.genesis_hash.hex(),
            "network": chain.network.hex(),
            "stateRoot": chain.state_root0.hex(),
            "block0": block0.hex(),
            "block0Hash": chain.parent.hex(),
        },
    }
    # Alice pays 7 coins to Carol with a memo; Bob, who mines, reports a reading without a fee.
    transfer = chain.signed(ALICE, 1, 0, 1000, 50, CAROL.account + u64(700_000_000) + text("für Licht"))
    reading = chain.signed(BOB, 2, 0, 0, 50, sample("soil-1", 9, 215, -1, "Cel", chain.time, 1))
    first = chain.block(
        BOB,
        5_000_001_000,
        [transfer, reading],
        {
            (ACCOUNT, ALICE.account): u64(1) + u64(99_299_999_000),
            (ACCOUNT, BOB.account): u64(1) + u64(0),
            (ACCOUNT, CAROL.account): u64(0) + u64(700_000_001),
            (REWARD, u64(0) * 3 + u64(1)): BOB.account + u64(5_000_001_000),
            (TOTALS, bytes(32)): u64(105_000_000_001) + u64(2) + u64(1),
        },
        1500,
    )
    # Bob's reward has matured; Alice's batch of 400 pays the miner, who takes 100 units less than it might.
    batch = chain.signed(
        ALICE,
        3,
        1,
        1000,
        2,
        text("imu") + u64(0) + u16(400) + text("m/s2") + u48(1) + u48(2) + u8(0) + sha256(b"a batch root"),
    )
    second = chain.block(
        ALICE,
        2_500_000_900,
        [batch],
        {
            (ACCOUNT, ALICE.account): u64(2) + u64(99_299_998_000),
            (ACCOUNT, BOB.account): u64(1) + u64(5_000_001_000),
            (REWARD, u64(0) * 3 + u64(1)): b"",
            (REWARD, u64(0) * 3 + u64(2)): ALICE.account + u64(2_500_000_900),
            (TOTALS, bytes(32)): u64(107_499_999_901) + u64(3) + u64(401),
        },
        9000,
    )
    block0_hash = bytes.fromhex(facts["genesis"]["block0Hash"])
    link = tagged("checkpoint", chain.genesis_hash, u32(0) + block0_hash + u32(8) + sha256(b"a checkpoint"))
    challenge, client = sha256(b"a challenge"), ALICE.account.hex() + "-agent"
    message = tagged("login", challenge, client.encode())
    return {
        **facts,
        "blocks": [first, second],
        "log": chain.log.hex(),
        "enrolled": enrolled(),
        "handed": handed(),
        "checkpoint": {
            "source": {"height": 0, "hash": block0_hash.hex()},
            "target": {"height": 8, "hash": sha256(b"a checkpoint").hex()},
            "signer": ALICE.account.hex(),
            "message": link.hex(),
            "signature": ALICE.sign(link).hex(),
        },
        "targets": targets(),
        "subsidies": subsidies(),
        "states": states(),
        "login": {
            "challenge": challenge.hex(),
            "clientId": client,
            "message": message.hex(),
            "userName": ALICE.account.hex(),
            "password": ALICE.sign(message).hex(),
        },
    }


def offer():
    """What ALICE sells: an item of each type, and her signature over it."""
    head = {"network": NETWORK.hex(), "from": ALICE.account.hex(), "time": TIME, "until": TIME + 1_800_000, "name": "Küche"}

    def item(number, kind, name, price, confirmations, place, terms, **fields):
        """`fields`: what the type has of its own, in order, with the width of each number."""
        data = u8(number) + text(name) + u64(price) + u8(confirmations) + text(place) + text(terms)
        facts = {"name": name, "price": price, "confirmations": confirmations, "place": place, "terms": terms}
        for field, value in fields.items():
            width = u64 if field in ("count", "bytes") else u32
            data += text(value) if isinstance(value, str) else width(value)
        return data, {"type": kind, **facts, **fields}

    measured = {"unit": "%", "everyMs": 500, "count": 5001}
    timed = {"secondsMin": 10, "secondsMax": 3600}
    items = [
        item(1, "readings", "soil", 100_000, 2, "greenhouse", "as is", **measured),
        item(2, "topic", "soil", 2_000_000, 3, "greenhouse", "", **measured, **timed, freeEveryMs=60_000),
        item(3, "output", "lamp", 50_000_000, 1, "", "", **timed),
        item(4, "file", "day.csv", 300_000_000, 6, "", "", bytes=1_048_576),
    ]
    body = NETWORK + ALICE.account + u48(TIME) + u48(TIME + 1_800_000) + text("Küche") + u16(len(items))
    body += b"".join(data for data, _ in items)
    signature = ALICE.sign(tagged("offer", GENESIS_HASH, body))
    return body + signature, {**head, "items": [facts for _, facts in items], "signature": signature.hex()}


def messages():
    a, b, c = sha256(b"a"), sha256(b"b"), sha256(b"c")
    target, work = 0xFFFF << 208, 2**200 + 5
    header = u8(1) + u32(2) + a + b + target.to_bytes(32, "big") + u48(TIME) + u64(3)
    header_json = {
        "version": 1,
        "height": 2,
        "parent": a.hex(),
        "content": b.hex(),
        "target": f"{target:064x}",
        "time": TIME,
        "nonce": u64(3).hex(),
    }
    coinbase = u8(0) + NETWORK + FROM + u32(2) + a + u64(50) + bytes(32) + b + c + bytes(range(64))
    coinbase_json = {
        "type": 0,
        "network": NETWORK.hex(),
        "from": FROM.hex(),
        "height": 2,
        "parent": a.hex(),
        "reward": 50,
        "tick": bytes(32).hex(),
        "transactionsRoot": b.hex(),
        "stateRoot": c.hex(),
        "signature": bytes(range(64)).hex(),
    }
    compact = c + u48(TIME + 1) + u64(9)
    inclusion = header + coinbase + u32(3) + b"abc" + u16(1) + u16(3) + u16(2) + b + c + u16(1) + compact
    inclusion_json = {
        "header": header_json,
        "coinbase": coinbase_json,
        "transaction": b"abc".hex(),
        "index": 1,
        "count": 3,
        "path": [b.hex(), c.hex()],
        "following": [{"content": c.hex(), "time": TIME + 1, "nonce": u64(9).hex()}],
    }
    bits = bytes([0b10100000]) + bytes(15)
    balance = header + coinbase + bits + u16(2) + a + b + u16(1) + c + u32(16) + u64(1) + u64(2)
    balance_json = {
        "header": header_json,
        "coinbase": coinbase_json,
        "state": {
            "siblingBits": bits.hex(),
            "siblings": [a.hex(), b.hex()],
            "leaf": [{"path": c.hex(), "value": (u64(1) + u64(2)).hex()}],
        },
    }
    link = {"source": {"height": 8, "hash": a.hex()}, "target": {"height": 16, "hash": b.hex()}}
    certificate = u32(8) + a + u32(16) + b + u16(2) + u8(0) + SIGNATURE + u8(3) + SIGNATURE
    certificate_json = {
        **link,
        "signatures": [{"signer": number, "signature": SIGNATURE.hex()} for number in (0, 3)],
    }
    view = FROM + u32(12) + u64(3) + u64(4_000) + u64(50)
    view_json = {"account": FROM.hex(), "height": 12, "nonce": 3, "balance": 4_000, "maturing": 50}

    tick = tick_bytes(header, [(a, 7, b)])

    asked = FROM + TO + text("soil") + a
    asked_json = {"seller": FROM.hex(), "buyer": TO.hex(), "sensor": "soil", "publicKey": a.hex()}

    def entry(codec, bytes_, json_mirror):
        return {"codec": codec, "bytes": bytes_.hex(), "json": json_mirror}

    def receipt(number, status, height, code, words):
        return entry(
            "receipt",
            a + u8(number) + u32(height) + text(code) + text(words),
            {"transaction": a.hex(), "status": status, "height": height, "code": code, "message": words},
        )

    return {
        "source": "make_vectors.py in this folder: struct and hashlib only",
        "messages": [
            entry(
                "tip",
                u32(12)
                + a
                + b
                + u48(TIME)
                + FROM
                + target.to_bytes(32, "big")
                + work.to_bytes(32, "big")
                + c
                + u64(5)
                + u64(6)
                + u64(7),
                {
                    "height": 12,
                    "hash": a.hex(),
                    "parent": b.hex(),
                    "time": TIME,
                    "miner": FROM.hex(),
                    "target": f"{target:064x}",
                    "work": f"{work:064x}",
                    "stateRoot": c.hex(),
                    "transactions": 5,
                    "readings": 6,
                    "supply": 7,
                },
            ),
            entry("accountView", view, view_json),
            entry(
                "request",
                u8(1) + u32(77) + u16(2) + a + b + u16(1000),
                {"type": "getHeaders", "id": 77, "locator": [a.hex(), b.hex()], "limit": 1000},
            ),
            entry("request", u8(2) + u32(78) + u32(11) + u16(2) + c + a, {"type": "getBlocks", "id": 78, "height": 11, "hashes": [c.hex(), a.hex()]}),
            entry("request", u8(3) + u32(79) + FROM, {"type": "getAccount", "id": 79, "account": FROM.hex()}),
            entry(
                "request",
                u8(4) + u32(80) + u32(2) + a,
                {"type": "getInclusion", "id": 80, "height": 2, "transaction": a.hex()},
            ),
            entry("request", u8(5) + u32(81) + FROM, {"type": "getBalance", "id": 81, "account": FROM.hex()}),
            entry("request", u8(6) + u32(82), {"type": "getFees", "id": 82}),
            entry("request", u8(7) + u32(83) + u8(6) + FROM, {"type": "getEntry", "id": 83, "kind": 6, "key": FROM.hex()}),
            entry(
                "request",
                u8(8) + u32(84) + u16(2) + a + b + u16(1000),
                {"type": "getTicks", "id": 84, "locator": [a.hex(), b.hex()], "limit": 1000},
            ),
            entry(
                "reply",
                u8(1) + u32(77) + u16(1) + header,
                {"type": "headers", "id": 77, "headers": [header_json]},
            ),
            entry(
                "reply",
                u8(2) + u32(78) + u16(2) + u32(115) + header + u32(0),
                {"type": "blocks", "id": 78, "blocks": [header.hex(), ""]},
            ),
            entry("reply", u8(3) + u32(79) + view, {"type": "account", "id": 79, "view": view_json}),
            entry("reply", u8(4) + u32(80) + inclusion, {"type": "inclusion", "id": 80, "proof": inclusion_json}),
            entry("reply", u8(5) + u32(81) + balance, {"type": "balance", "id": 81, "proof": balance_json}),
            entry("inclusionProof", inclusion, inclusion_json),
            entry("balanceProof", balance, balance_json),
            entry("offer", *offer()),
            entry("stateProof", balance[356:], balance_json["state"]),
            entry(
                "reply",
                u8(6) + u32(82) + u64(1_000) + u64(6_001) + u64(2_500) + u64(1_000),
                {"type": "fees", "id": 82, "floor": 1_000, "next": 6_001, "soon": 2_500, "later": 1_000},
            ),
            entry(
                "reply",
                u8(7) + u32(83) + u32(12) + u32(36) + u16(1) + a + u16(3_000),
                {"type": "entry", "id": 83, "height": 12, "value": (u16(1) + a + u16(3_000)).hex()},
            ),
            entry(
                "reply",
                u8(8) + u32(84) + u16(2) + u32(len(tick)) + tick + u32(0),
                {"type": "ticks", "id": 84, "ticks": [tick.hex(), ""]},
            ),
            entry(
                "handTip",
                u32(12) + a + u48(TIME) + target.to_bytes(32, "big") + work.to_bytes(32, "big") + b + u32(70) + c,
                {
                    "height": 12,
                    "hash": a.hex(),
                    "time": TIME,
                    "target": f"{target:064x}",
                    "work": f"{work:064x}",
                    "newest": {"ledger": b.hex(), "height": 70, "block": c.hex()},
                },
            ),
            receipt(1, "accepted", 0, "", ""),
            receipt(2, "confirmed", 12, "", ""),
            receipt(3, "refused", 0, "nonce-gap", "nonce: expected 3, got 5"),
            receipt(4, "disconnected", 12, "", ""),
            entry(
                "batchedSample",
                a + u16(1) + u16(3) + sample("imu", 5001, -981, -2, "m/s2", TIME, 1) + u16(2) + b + c,
                {
                    "transaction": a.hex(),
                    "index": 1,
                    "count": 3,
                    "sample": {
                        "sensor": "imu",
                        "sequence": 5001,
                        "value": "-9.81",
                        "unit": "m/s2",
                        "time": TIME,
                        "synchronised": True,
                    },
                    "path": [b.hex(), c.hex()],
                },
            ),
            entry(
                "status",
                u8(1) + u8(2) + text("Küche") + text("0.1.0") + u48(TIME) + u8(1),
                {
                    "state": "online",
                    "role": "validator",
                    "name": "Küche",
                    "software": "0.1.0",
                    "since": TIME,
                    "protocol": 1,
                },
            ),
            entry(
                "changesRecord",
                a + u16(1) + u8(0) + FROM + u32(0) + u32(16) + u64(1) + u64(2),
                {
                    "block": a.hex(),
                    "changes": [{"kind": 0, "key": FROM.hex(), "before": "", "after": (u64(1) + u64(2)).hex()}],
                },
            ),
            entry("vote", u32(8) + a + u32(16) + b + FROM + SIGNATURE, {**link, "signer": FROM.hex(), "signature": SIGNATURE.hex()}),
            entry("certificate", certificate, certificate_json),
            entry("certificates", u16(2) + 2 * certificate, {"certificates": [certificate_json] * 2}),
            entry(
                "grant",
                FROM + TO + u32(12) + u16(2) + text("soil") + u48(TIME) + text("air.1") + u48(TIME + 60_000),
                {
                    "seller": FROM.hex(),
                    "buyer": TO.hex(),
                    "height": 12,
                    "sensors": [{"sensor": "soil", "until": TIME}, {"sensor": "air.1", "until": TIME + 60_000}],
                },
            ),
            entry(
                "soldReading",
                u8(1) + sample("soil", 7, 215, -1, "%RH", TIME, 1) + SIGNATURE,
                {
                    "sale": 1,
                    "sample": {
                        "sensor": "soil",
                        "sequence": 7,
                        "value": "21.5",
                        "unit": "%RH",
                        "time": TIME,
                        "synchronised": True,
                    },
                    "signature": SIGNATURE.hex(),
                },
            ),
            entry("paidMessage", u32(29_445_120) + u32(3) + b"abc", {"epoch": 29_445_120, "sealed": b"abc".hex()}),
            entry("keyMessage", u8(1) + asked + SIGNATURE, {"type": "ask", **asked_json, "signature": SIGNATURE.hex()}),
            entry(
                "keyMessage",
                u8(2) + asked + u32(3) + b"abc" + SIGNATURE,
                {"type": "keys", **asked_json, "box": b"abc".hex(), "signature": SIGNATURE.hex()},
            ),
            entry(
                "keyMessage",
                u8(3) + asked + u8(1) + SIGNATURE,
                {"type": "denied", **asked_json, "code": "not-paid", "signature": SIGNATURE.hex()},
            ),
            *file_messages(entry, a, b, c),
            entry("tipRecord", u32(1) + u16(2) + b + c, {"disconnected": 1, "connected": [b.hex(), c.hex()]}),
        ],
    }


def file_messages(entry, a, b, c):
    """One of each message about files that are sold."""
    head = FROM + TO + text("day.bin") + a
    head_json = {"seller": FROM.hex(), "buyer": TO.hex(), "name": "day.bin", "publicKey": a.hex()}
    terms = b + c + u64(65_537) + u32(2) + a + u64(500) + b + u32(120) + u16(30) + u8(3) + u48(TIME)
    terms_json = {
        **{"sellerKey": b.hex(), "file": c.hex(), "size": 65_537, "chunks": 2, "ciphertext": a.hex(), "price": 500},
        **{"lock": b.hex(), "blocks": 120, "minutes": 30, "confirmations": 3, "until": TIME},
    }
    signed = {"signature": SIGNATURE.hex()}
    refusal = {"seller": FROM.hex(), "buyer": TO.hex(), "about": a.hex(), "code": "preparing", "message": "40 %"}
    return [
        entry("fileMessage", u8(1) + head + SIGNATURE, {"type": "quoteRequest", **head_json, **signed}),
        entry("fileMessage", u8(2) + head + terms + SIGNATURE, {"type": "quote", **head_json, **terms_json, **signed}),
        entry(
            "fileMessage",
            u8(3) + b + u32(7) + u16(64) + a[:28],
            {"type": "chunkRequest", "lock": b.hex(), "first": 7, "count": 64, "seal": a[:28].hex()},
        ),
        entry(
            "fileMessage",
            u8(4) + b + u32(7) + u32(3) + b"abc",
            {"type": "chunk", "lock": b.hex(), "index": 7, "sealed": b"abc".hex()},
        ),
        entry(
            "fileMessage",
            u8(5) + FROM + TO + a + u8(3) + text("40 %") + SIGNATURE,
            {"type": "refusal", **refusal, **signed},
        ),
    ]


def write(name, value):
    (FOLDER / name).write_text(json.dumps(value, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


write("encoding.json", encodings())
write("messages.json", messages())
write("ledger.json", ledger())
write("zip215.json", small_order())
