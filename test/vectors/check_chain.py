#!/usr/bin/env python3
"""Checks a chain.log from its genesis, written from docs/PROTOCOL.md alone: standard library, none of our own code.

    python3 check_chain.py chain.log

Prints one line of JSON: height, tip, stateRoot, transactions, readings, supply. Ends with status 1 and one line on
stderr at the first fault. Section numbers are those of the document. Made to be read, not to be fast: it hashes the
whole state for every block and takes some ms for a signature.
"""

import hashlib
import json
import re
import struct
import sys
import unicodedata

EXACT_MAX = 2**53 - 1


class Fault(Exception):
    """`code` is one of the document's table of faults, or of the log's."""

    def __init__(self, code, message):
        super().__init__(f"{code}: {message}")


def require(condition, code, message):
    if not condition:
        raise Fault(code, message)


# --- Section 1: encoding


class Reader:
    def __init__(self, data):
        self.data, self.at = data, 0

    def take(self, count):
        require(self.at + count <= len(self.data), "bad-encoding", "message is cut")
        self.at += count
        return self.data[self.at - count : self.at]

    def integer(self, size, most=None):
        value = int.from_bytes(self.take(size), "big")
        require(most is None or value <= most, "bad-encoding", f"{value} is above {most}")
        return value

    def u8(self, most=None):
        return self.integer(1, most)

    def u16(self, most=None):
        return self.integer(2, most)

    def u32(self, most=None):
        return self.integer(4, most)

    def time(self):
        return self.integer(6)

    def u64(self):
        return self.integer(8, EXACT_MAX)

    def text(self, bytes_max, valid):
        data = self.take(self.u8(bytes_max))
        try:
            value = data.decode("utf-8")
        except UnicodeDecodeError:
            raise Fault("bad-encoding", "not UTF-8") from None
        require(valid(value), "bad-encoding", f"not allowed here: {value!r}")
        return value

    def name(self):
        return self.text(32, re.compile(r"[a-z0-9][a-z0-9._-]*").fullmatch)

    def unit(self):
        return self.text(15, re.compile(r"[!-~]+").fullmatch)

    def memo(self):
        return self.text(80, lambda value: all(unicodedata.category(char) not in ("Cc", "Cs") for char in value))

    def decimal(self):
        exponent, mantissa = struct.unpack(">bq", self.take(9))
        require(abs(exponent) <= 12 and abs(mantissa) <= EXACT_MAX, "bad-encoding", "decimal out of range")

    def list(self, most, item):
        return [item(self) for _ in range(self.u16(most))]

    def end(self):
        require(self.at == len(self.data), "bad-encoding", "trailing bytes")


def uint(size, value):
    return value.to_bytes(size, "big")


# --- Section 2: hashing


def sha256(data):
    return hashlib.sha256(data).digest()


def tagged(tag, *parts):
    prefix = sha256(b"pinledger/" + tag.encode())
    return sha256(prefix + prefix + b"".join(parts))


def merkle_root(leaves):
    def top(part):
        if len(part) < 2:
            return part[0] if part else bytes(32)
        left = 1
        while left * 2 < len(part):
            left *= 2
        return tagged("node", top(part[:left]), top(part[left:]))

    return tagged("root", uint(4, len(leaves)), top(leaves))


# --- Section 3: signatures. Points are (X, Y, Z, T) with x = X/Z, y = Y/Z, xy = T/Z.

P = 2**255 - 19
L = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, -1, P) % P


def add(a, b):
    """Holds for every pair of points, also equal ones."""
    m, n = (a[1] - a[0]) * (b[1] - b[0]) % P, (a[1] + a[0]) * (b[1] + b[0]) % P
    c, d = 2 * a[3] * b[3] * D % P, 2 * a[2] * b[2] % P
    e, f, g, h = n - m, d - c, d + c, n + m
    return e * f % P, g * h % P, f * g % P, e * h % P


def decompress(data, strict):
    """The point, or None. Strict: only the canonical encoding of a point."""
    number = int.from_bytes(data, "little")
    sign, y = number >> 255, number % 2**255
    if strict and y >= P:
        return None
    square = (y * y - 1) * pow(D * y * y + 1, -1, P) % P
    x = pow(square, (P + 3) // 8, P)
    if x * x % P != square:
        x = x * pow(2, (P - 1) // 4, P) % P
    if x * x % P != square or (strict and x == 0 and sign == 1):
        return None
    if x % 2 != sign:
        x = -x % P
    return x, y % P, 1, x * y % P


def is_zero_times_8(point):
    for _ in range(3):
        point = add(point, point)
    return point[0] % P == 0 and (point[1] - point[2]) % P == 0


BASE = decompress(uint(32, 4 * pow(5, -1, P) % P)[::-1], True)


def is_account(key):
    point = decompress(key, True)
    return point is not None and not is_zero_times_8(point)


def verify(signature, message, key):
    """ZIP 215: [8]([S]B - R - [k]A) = 0, with S below L and every encoding of A and R."""
    a, r = decompress(key, False), decompress(signature[:32], False)
    s = int.from_bytes(signature[32:], "little")
    if a is None or r is None or s >= L:
        return False
    k = int.from_bytes(hashlib.sha512(signature[:32] + key + message).digest(), "little") % L
    minus = [(-x % P, y, z, -t % P) for x, y, z, t in (a, r)]
    table = [(0, 1, 1, 0), BASE, minus[0], add(BASE, minus[0])]
    total = table[0]
    for digit in range(255, -1, -1):
        total = add(total, total)
        total = add(total, table[(s >> digit & 1) + 2 * (k >> digit & 1)])
    return is_zero_times_8(add(total, minus[1]))


# --- Section 3: transactions


class Transaction:
    def __init__(self, reader):
        start = reader.at
        self.type = reader.u8()
        require(self.type in (1, 2, 3, 4, 5), "bad-encoding", f"unknown type {self.type}")
        self.network, self.sender = reader.take(4), reader.take(32)
        self.nonce, self.fee, self.expiry = reader.u64(), reader.u64(), reader.u32()
        self.amount, self.readings = 0, 0
        if self.type == 1:
            self.to, self.amount, _ = reader.take(32), reader.u64(), reader.memo()
        elif self.type == 2:
            self.readings = 1
            reader.name(), reader.u64(), reader.decimal(), reader.unit(), reader.time(), reader.u8(1)
        elif self.type in (4, 5):
            self.member = reader.take(32)
        else:
            reader.name()
            self.sequence, self.readings = reader.u64(), reader.u16()
            reader.unit()
            self.first, self.last = reader.time(), reader.time()
            reader.u8(1), reader.take(32)
        self.body = reader.data[start : reader.at]
        self.signature = reader.take(64)

    @property
    def leaf(self):
        return tagged("leaf", self.body + self.signature)

    def check(self, genesis):
        """Rules that need neither state nor height."""
        require(self.network == genesis.network, "wrong-network", self.network.hex())
        if self.type == 1:
            require(is_account(self.to), "bad-account", self.to.hex())
        if self.type == 3:
            require(self.readings >= 1, "bad-batch", "count")
            require(self.first <= self.last, "bad-batch", "lastTime")
            require(self.sequence + self.readings <= EXACT_MAX, "bad-batch", "sequence")
        if self.type in (4, 5):
            require(is_account(self.member), "bad-account", self.member.hex())
            require(self.sender in genesis.authorities, "not-authority", self.sender.hex())
        require(is_account(self.sender), "bad-account", self.sender.hex())
        message = tagged("sign", genesis.hash, self.body)
        require(verify(self.signature, message, self.sender), "bad-signature", self.sender.hex())


# --- Section 4: headers


class Header:
    def __init__(self, data):
        reader = Reader(data)
        require(reader.u8() == 1, "bad-encoding", "version")
        self.height, self.parent, self.content = reader.u32(), reader.take(32), reader.take(32)
        self.target, self.time, _ = reader.integer(32), reader.time(), reader.take(8)
        reader.end()
        self.hash = sha256(sha256(data))


def next_target(target, solve_time, genesis):
    interval = genesis.interval
    deviation = min(solve_time, 20 * interval) - interval
    steps = abs(deviation << 16) // (genesis.half_life * interval)
    exponent = steps if deviation >= 0 else -steps
    shifts, fraction = exponent >> 16, exponent & 0xFFFF
    cubic = 195766423245049 * fraction + 971821376 * fraction**2 + 5127 * fraction**3 + 2**47
    product, shift = target * (65536 + (cubic >> 48)), shifts - 16
    result = product << shift if shift >= 0 else product >> -shift
    return 1 if result == 0 else min(result, genesis.target_max)


def subsidy(genesis, height):
    if height == 0:
        return 0
    if genesis.halving_interval == 0:
        return genesis.subsidy
    return genesis.subsidy >> (height - 1) // genesis.halving_interval


# --- Section 6: genesis


class Genesis:
    def __init__(self, data):
        require(len(data) <= 2**20, "bad-encoding", "genesis too large")
        reader = Reader(data)
        require(reader.u8() == 1, "bad-encoding", "version")
        reader.name()
        self.time, self.interval, self.half_life = reader.time(), reader.u32(), reader.u16()
        self.target, self.target_max = reader.integer(32), reader.integer(32)
        self.subsidy, self.halving_interval, self.fee_floor = reader.u64(), reader.u32(), reader.u64()
        self.maturity, self.block_bytes_max = reader.u16(), reader.u32()
        self.block_signatures_max = reader.u16()
        slow_ratio = reader.u16()
        self.authorities = reader.list(64, lambda each: each.take(32))
        self.signers = reader.list(64, lambda each: each.take(32))
        self.threshold = reader.u8()
        activations = reader.list(64, lambda each: (each.u8(), each.u32()))
        self.allocations = reader.list(10_000, lambda each: (each.take(32), each.u64()))
        reader.end()
        self.activations = dict(activations)
        self.supply = sum(amount for _, amount in self.allocations)
        minted, era = 0, self.subsidy
        while era > 0 and self.halving_interval > 0:
            minted, era = minted + era * self.halving_interval, era >> 1
        for condition, field in (
            (self.interval >= 100, "interval"),
            (self.half_life >= 1, "halfLife"),
            (1 <= self.target <= self.target_max, "target"),
            (self.maturity >= 1, "maturity"),
            (4096 <= self.block_bytes_max <= 2**20, "blockBytesMax"),
            (2 <= self.block_signatures_max <= 8192, "blockSignaturesMax"),
            (len(dict(self.allocations)) == len(self.allocations), "allocations"),
            (all(amount >= 1 for _, amount in self.allocations), "allocations"),
            (era == 0 and self.supply + minted <= EXACT_MAX, "subsidy"),
            (all(is_account(account) for account, _ in self.allocations), "allocations"),
            (len(self.activations) == len(activations), "activations"),
            (set(self.activations) <= {1, 2, 3, 4, 5}, "activations"),
            (set(self.activations) & {4, 5} == ({4, 5} if self.authorities else set()), "activations"),
            (len(set(self.authorities)) == len(self.authorities), "authorities"),
            (all(is_account(account) for account in self.authorities), "authorities"),
            (slow_ratio == 0, "slowRatio"),
            (len(set(self.signers)) == len(self.signers), "checkpointSigners"),
            (all(is_account(account) for account in self.signers), "checkpointSigners"),
            (
                len(self.signers) // 2 < self.threshold <= len(self.signers) if self.signers else self.threshold == 0,
                "checkpointThreshold",
            ),
        ):
            require(condition, "bad-genesis", field)
        self.hash = tagged("genesis", data)
        self.network = self.hash[:4]


# --- Section 5: state and blocks

ACCOUNT, REWARD, TOTALS, MEMBER = 0, 1, 2, 3
TOTALS_KEY = (TOTALS, bytes(32))


def state_root(entries):
    def root(leaves, depth):
        if len(leaves) < 2:
            return tagged("state-leaf", *leaves[0]) if leaves else bytes(32)
        sides = ([], [])
        for leaf in leaves:
            sides[leaf[0][depth // 8] >> (7 - depth % 8) & 1].append(leaf)
        return tagged("state-node", root(sides[0], depth + 1), root(sides[1], depth + 1))

    return root([(tagged("state-key", uint(1, kind), key), value) for (kind, key), value in entries.items()], 0)


class View:
    """Writes of one block over the state before it."""

    def __init__(self, state):
        self.state, self.writes = state, {}

    def get(self, kind, key):
        return self.writes.get((kind, key), self.state.get((kind, key), b""))

    def account(self, key):
        return struct.unpack(">QQ", self.get(ACCOUNT, key) or bytes(16))

    def set_account(self, key, nonce, balance):
        self.writes[ACCOUNT, key] = uint(8, nonce) + uint(8, balance) if nonce or balance else b""

    def changes(self):
        pairs = [(entry, self.state.get(entry, b""), after) for entry, after in sorted(self.writes.items())]
        return [pair for pair in pairs if pair[1] != pair[2]]


class Block:
    def __init__(self, data, genesis):
        require(len(data) <= genesis.block_bytes_max, "block-too-large", len(data))
        self.header = Header(data[:115])
        reader = Reader(data)
        reader.take(115)
        require(reader.u8() == 0, "bad-encoding", "coinbase type")
        self.network, self.miner, self.height = reader.take(4), reader.take(32), reader.u32()
        self.parent, self.reward, self.tick = reader.take(32), reader.u64(), reader.take(32)
        self.transactions_root, self.state_root = reader.take(32), reader.take(32)
        self.body = data[115 : reader.at]
        self.signature = reader.take(64)
        self.transactions = reader.list(8192, Transaction)
        reader.end()
        require(self.header.content == tagged("leaf", self.body + self.signature), "bad-content", "")
        root = merkle_root([tx.leaf for tx in self.transactions])
        require(self.transactions_root == root, "bad-transactions-root", root.hex())

    def check(self, genesis):
        require(self.network == genesis.network, "wrong-network", self.network.hex())
        require(self.height == self.header.height, "bad-coinbase", "height")
        require(self.parent == self.header.parent, "bad-coinbase", "parent")
        require(self.tick == bytes(32), "bad-tick", "")
        require(1 + len(self.transactions) <= genesis.block_signatures_max, "too-many-signatures", "")
        require(is_account(self.miner), "bad-account", self.miner.hex())
        message = tagged("sign", genesis.hash, self.body)
        require(verify(self.signature, message, self.miner), "bad-signature", "coinbase")
        for tx in self.transactions:
            tx.check(genesis)

    def connect(self, genesis, state):
        """The changes that it makes."""
        if genesis.authorities and self.miner not in genesis.authorities:
            require((MEMBER, self.miner) in state, "not-admitted", self.miner.hex())
        view, height, fees, readings = View(state), self.height, 0, 0
        matured = uint(32, height - genesis.maturity) if height > genesis.maturity else b""
        reward = view.get(REWARD, matured)
        if reward:
            nonce, balance = view.account(reward[:32])
            view.set_account(reward[:32], nonce, balance + int.from_bytes(reward[32:], "big"))
            view.writes[REWARD, matured] = b""
        for tx in self.transactions:
            active = genesis.activations.get(tx.type)
            require(active is not None and height >= active, "type-not-active", tx.type)
            require(tx.expiry >= height, "expired", tx.expiry)
            floor = genesis.fee_floor * -(-(len(tx.body) + 64) // 1000)
            require(tx.fee >= floor or tx.sender == self.miner, "fee-too-low", tx.fee)
            nonce, balance = view.account(tx.sender)
            require(tx.nonce >= nonce, "nonce-too-low", tx.nonce)
            require(tx.nonce <= nonce, "nonce-gap", tx.nonce)
            spend = tx.amount + tx.fee
            require(spend <= EXACT_MAX, "amount-overflow", spend)
            require(spend <= balance, "insufficient-balance", spend)
            if tx.type == 4:
                known = tx.member in genesis.authorities or view.get(MEMBER, tx.member)
                require(not known, "already-member", tx.member.hex())
            if tx.type == 5:
                require(view.get(MEMBER, tx.member), "not-member", tx.member.hex())
            view.set_account(tx.sender, nonce + 1, balance - spend)
            if tx.type == 1:
                nonce, balance = view.account(tx.to)
                view.set_account(tx.to, nonce, balance + tx.amount)
            if tx.type in (4, 5):
                view.writes[MEMBER, tx.member] = tx.member + uint(4, height) if tx.type == 4 else b""
            fees, readings = fees + tx.fee, readings + tx.readings
        most = subsidy(genesis, height) + fees
        require(max(fees, most) <= EXACT_MAX, "amount-overflow", "fees")
        require(self.reward <= most, "bad-reward", self.reward)
        if self.reward > 0:
            view.writes[REWARD, uint(32, height)] = self.miner + uint(8, self.reward)
        supply, count, before = struct.unpack(">QQQ", view.get(*TOTALS_KEY))
        after = (supply - fees + self.reward, count + len(self.transactions), before + readings)
        view.writes[TOTALS_KEY] = struct.pack(">QQQ", *after)
        changes = view.changes()
        root = state_root(apply(state, changes, 2))
        require(self.state_root == root, "bad-state-root", root.hex())
        return changes


def apply(state, changes, side):
    """The state with entries as they were before (side 1) or after (side 2) a block."""
    state = dict(state)
    for change in changes:
        if change[side]:
            state[change[0]] = change[side]
        else:
            state.pop(change[0], None)
    return state


class Entry:
    """A block in the tree. `changes` is None until it was connected once."""

    def __init__(self, header, parent, genesis, block=None):
        self.hash, self.height, self.time = header.hash, header.height, header.time
        self.parent, self.block, self.changes = parent, block, None
        self.work, self.child_target = 0, header.target
        if parent is not None:
            self.work = parent.work + 2**256 // (header.target + 1)
            self.child_target = next_target(header.target, header.time - parent.time, genesis)


def builds_on(entry, other):
    """Whether a block is another or stands on it."""
    while entry.height > other.height:
        entry = entry.parent
    return entry is other


class Chain:
    def __init__(self, genesis):
        self.genesis = genesis
        self.state = {(ACCOUNT, account): uint(16, amount) for account, amount in genesis.allocations}
        self.state[TOTALS_KEY] = struct.pack(">QQQ", genesis.supply, 0, 0)
        start = b"\x01" + bytes(4) + genesis.hash + state_root(self.state)
        block0 = Header(start + uint(32, genesis.target) + uint(6, genesis.time) + bytes(8))
        self.tip = self.justified = self.final = Entry(block0, None, genesis)
        self.entries = {block0.hash: self.tip}

    def accept(self, data):
        """Adds a block and returns the records that must follow it in the log (section 10)."""
        header = Header(data[:115])
        parent = self.entries.get(header.parent)
        require(parent is not None, "unknown-parent", header.parent.hex())
        require(header.height == parent.height + 1, "bad-height", header.height)
        require(header.target == parent.child_target, "bad-target", hex(header.target))
        require(int.from_bytes(header.hash, "big") <= header.target, "high-hash", header.hash.hex())
        require(header.time > parent.time, "time-too-old", header.time)
        require(header.hash not in self.entries, "known", header.hash.hex())
        require(parent is self.tip or builds_on(parent, self.final), "below-final", parent.height)
        block = Block(data, self.genesis)
        block.check(self.genesis)
        entry = Entry(header, parent, self.genesis, block)
        self.entries[entry.hash] = entry
        if entry.work <= self.tip.work:
            return []
        return self.move(entry) if parent is self.tip or builds_on(entry, self.justified) else []

    def certify(self, data):
        """Applies a certificate and returns the records that must follow it (section 5, checkpoints)."""
        reader, genesis = Reader(data), self.genesis
        link = data[:72]
        source, target = [(reader.u32(), reader.take(32)) for _ in range(2)]
        votes = reader.list(64, lambda each: (each.u8(), each.take(64)))
        reader.end()
        places = [place for place, _ in votes]
        require(source[0] % 8 == 0 and target[0] % 8 == 0 and target[0] > source[0], "bad-checkpoint", "heights")
        require(len(votes) >= genesis.threshold > 0, "bad-checkpoint", "too few signers")
        require(places == sorted(set(places)), "bad-checkpoint", "order of signers")
        require(places[-1] < len(genesis.signers), "not-a-signer", places[-1])
        message = tagged("checkpoint", genesis.hash, link)
        for place, signature in votes:
            require(verify(signature, message, genesis.signers[place]), "bad-signature", f"signer {place}")
        require(source[0] >= self.final.height, "below-final", source[0])
        ends = [self.entries.get(name) for _, name in (source, target)]
        require(None not in ends, "bad-checkpoint", "an unknown block")
        require([end.height for end in ends] == [source[0], target[0]], "bad-checkpoint", "heights of the blocks")
        require(builds_on(ends[1], ends[0]), "bad-checkpoint", "the target does not build on the source")
        require(builds_on(ends[1], self.final), "below-final", "the target does not build on what is final")
        records = []
        if not builds_on(self.tip, ends[1]):
            require(ends[1].height > self.justified.height, "bad-checkpoint", "two that exclude each other")
            records = self.move(max((e for e in self.entries.values() if builds_on(e, ends[1])), key=lambda e: e.work))
        self.justified = max(self.justified, ends[1], key=lambda each: each.height)
        if target[0] == source[0] + 8 and source[0] > self.final.height:
            self.final = ends[0]
        return records

    def move(self, entry):
        old, new, state = self.tip, entry, self.state
        disconnected, branch, records = 0, [], []
        while old is not new:
            if old.height >= new.height:
                state, old, disconnected = apply(state, old.changes, 1), old.parent, disconnected + 1
            else:
                branch, new = [new, *branch], new.parent
        for each in branch:
            changes = each.block.connect(self.genesis, state)
            state = apply(state, changes, 2)
            if each.changes is None:
                each.changes = changes
                listed = [
                    uint(1, kind) + key + uint(4, len(before)) + before + uint(4, len(after)) + after
                    for (kind, key), before, after in changes
                ]
                records.append((3, each.hash + uint(2, len(listed)) + b"".join(listed)))
        self.tip, self.state = entry, state
        hashes = b"".join(each.hash for each in branch)
        return [*records, (4, uint(4, disconnected) + uint(2, len(branch)) + hashes)]


# --- Section 10: the log


def read_log(data):
    """Kind and payload of every committed record; an unfinished batch at the end does not count."""
    if len(data) < 8:
        require(b"PINLOG\x00\x01".startswith(data), "bad-magic", data.hex())
        return []
    require(data[:6] == b"PINLOG", "bad-magic", data[:6].hex())
    require(data[6:8] == b"\x00\x01", "bad-version", data[6:8].hex())
    committed, batch, start, at, number = [], [], 8, 8, 0
    while at + 16 <= len(data):
        head = data[at : at + 16]
        require(sha256(head[:12])[:4] == head[12:], "bad-header", f"record {number}")
        length, kind, flags = struct.unpack(">IBB", head[:6])
        require(flags <= 1, "bad-flags", f"record {number}")
        require(int.from_bytes(head[6:12], "big") == number, "bad-sequence", f"record {number}")
        require(length <= 2**24, "too-long", f"record {number}")
        if at + 24 + length > len(data):
            break
        payload, check = data[at + 16 : at + 16 + length], data[at + 16 + length : at + 24 + length]
        require(sha256(head + payload)[:8] == check, "bad-payload", f"record {number}")
        batch.append((kind, payload))
        at, number = at + 24 + length, number + 1
        require(at - start <= 2**26, "too-long", f"batch of record {number - 1}")
        if flags == 1:
            committed.extend(batch)
            batch, start = [], at
    return committed


def check(data):
    chain, following = None, []
    for number, (kind, payload) in enumerate(read_log(data)):
        if chain is None:
            require(kind == 1, "bad-log", "a log begins with its genesis")
            chain = Chain(Genesis(payload))
        elif following:
            require((kind, payload) == following.pop(0), "bad-log", f"record {number} does not follow from its block")
        elif kind == 8:
            following = chain.certify(payload)
        elif kind == 9:
            require(len(payload) == 168, "bad-encoding", "vote")
        else:
            require(kind == 2, "bad-log", f"record {number} is of kind {kind}")
            following = chain.accept(payload)
    require(chain is not None and not following, "bad-log", "records are missing")
    supply, transactions, readings = struct.unpack(">QQQ", chain.state[TOTALS_KEY])
    return {
        "height": chain.tip.height,
        "tip": chain.tip.hash.hex(),
        "stateRoot": state_root(chain.state).hex(),
        "transactions": transactions,
        "readings": readings,
        "supply": supply,
    }


if __name__ == "__main__":
    try:
        with open(sys.argv[1], "rb") as log:
            print(json.dumps(check(log.read())))
    except Fault as fault:
        sys.exit(f"{sys.argv[1]}: {fault}")
