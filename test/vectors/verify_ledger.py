#!/usr/bin/env python3
"""Checks a pinledger ledger: every byte, rule and sum of it, with nothing but Python's standard library.

    verify_ledger.py DATA_DIRECTORY | LOG | SNAPSHOT [--sample-signatures N] [--recover]

Written from docs/PROTOCOL.md alone ("section n" below is one of its sections), so that it agrees with our program
only where the document says enough. It prints where the ledger ends as JSON, or the first fault and exits with 1.
A slow hand in the directory (hand.log) is checked, too. With --sample-signatures only every Nth signature is checked. With
--recover a last batch that a power cut left in pieces is no fault but does not count, as when a node starts. Debian's
python3-nacl or python3-cryptography make it faster: they may say yes for us but never no, because they are stricter than
ZIP-215.
"""
import hashlib
import json
import os
import re
import struct
import sys

from pinlog import ACCOUNTS, BLOCK, CERTIFICATE, CHANGES, HAND_KINDS, HEADERS, KINDS, STATE, TICK, TIP, VOTE
from pinlog import Fault, Log, check, kinds, sha
from zip215 import Signatures, account_point, quick_verifier

MAX64 = 2**53 - 1
ACCOUNT, REWARD, TOTALS, MEMBER, CHANNEL, HASHLOCK, SPLIT = range(7)
TOTALS_AT = (TOTALS, bytes(32))
STEP = 8  # heights of checkpoints are its multiples
STEPS = 1024  # words that a claim may be above the one before
GROUP = 256  # headers in one record, and heights of bases
SPLIT_ABOVE = 2**25  # bytes of records from which a move may be in several batches


class UndoesBase(Exception):
    """A reorganisation below the first block that is here: only a later segment can be replayed."""


# Section 2: hashing

TAGS = {}


def tagged(tag, message):
    if tag not in TAGS:
        TAGS[tag] = hashlib.sha256(sha(b'pinledger/' + tag.encode()) * 2)
    hasher = TAGS[tag].copy()
    hasher.update(message)
    return hasher.digest()


def merkle_root(leaves):
    def top(part):
        if len(part) < 2:
            return part[0] if part else bytes(32)
        k = 1 << (len(part) - 1).bit_length() - 1
        return tagged('node', top(part[:k]) + top(part[k:]))

    return tagged('root', struct.pack('>I', len(leaves)) + top(leaves))


# Section 1: encoding


class Reader:
    def __init__(self, data):
        self.data, self.at = data, 0

    def take(self, n):
        check(self.at + n <= len(self.data), 'bad-encoding', 'ends early')
        self.at += n
        return self.data[self.at - n : self.at]

    def number(self, n, low=0, high=None):
        value = int.from_bytes(self.take(n), 'big')
        high = MAX64 if high is None and n == 8 else high
        check(value >= low and (high is None or value <= high), 'bad-encoding', f'{value} is out of range')
        return value

    def text(self, most):
        size = self.number(1, 0, most)
        try:
            text = self.take(size).decode('utf-8')
        except UnicodeDecodeError:
            raise Fault('bad-encoding: not UTF-8') from None
        check(not re.search('[\0-\x1f\x7f-\x9f]', text), 'bad-encoding', 'a control character')
        return text

    def name(self):
        check(re.fullmatch('[a-z0-9][a-z0-9._-]*', self.text(32)), 'bad-encoding', 'not a name')

    def unit(self):
        check(re.fullmatch('[\x21-\x7e]+', self.text(15)), 'bad-encoding', 'not a unit')

    def decimal(self):
        exponent, mantissa = struct.unpack('>bq', self.take(9))
        check(abs(exponent) <= 12 and abs(mantissa) <= MAX64, 'bad-encoding', 'decimal')

    def blob(self, most):
        return self.take(self.number(4, 0, most))

    def list(self, most, item):
        return [item() for _ in range(self.number(2, 0, most))]

    def key(self):
        return self.take(32)

    def end(self):
        check(self.at == len(self.data), 'bad-encoding', 'bytes left over')


class Fields:
    """A decoded structure: its fields as attributes."""

    def __init__(self, **fields):
        self.__dict__.update(fields)


def read_header(r):
    start = r.at
    header = Fields(version=r.number(1, 1, 1), height=r.number(4), parent=r.key(), content=r.key(), target=r.number(32))
    header.time, header.nonce = r.number(6), r.take(8)
    header.bytes = r.data[start : r.at]
    header.hash = sha(sha(header.bytes))
    return header


def make_header(height, parent, content, target, time, nonce):
    packed = struct.pack('>BI', 1, height) + parent + content + target.to_bytes(32, 'big')
    return read_header(Reader(packed + time.to_bytes(6, 'big') + nonce))


def read_coinbase(r):
    start = r.at
    c = Fields(type=r.number(1, 0, 0), network=r.take(4), sender=r.key(), height=r.number(4), parent=r.key())
    c.reward, c.tick, c.transactions_root, c.state_root = r.number(8), r.key(), r.key(), r.key()
    return sealed(c, r, start)


def sealed(fields, r, start):
    """Adds body, signature and leaf."""
    fields.body, fields.signature = r.data[start : r.at], r.take(64)
    fields.leaf, fields.size = tagged('leaf', fields.body + fields.signature), r.at - start
    return fields


def read_transaction(r):
    start = r.at
    t = Fields(type=r.number(1, 1, 12), network=r.take(4), sender=r.key(), nonce=r.number(8), fee=r.number(8))
    t.expiry, t.amount, t.readings, t.signatures = r.number(4), 0, 0, 1
    if t.type == 1:
        t.to, t.amount, _ = r.key(), r.number(8), r.text(80)
    elif t.type == 2:
        r.name(), r.number(8), r.decimal(), r.unit(), r.number(6), r.number(1, 0, 1)
        t.readings = 1
    elif t.type == 3:
        r.name()
        t.sequence, t.readings = r.number(8), r.number(2)
        r.unit()
        t.first, t.last = r.number(6), r.number(6)
        r.number(1, 0, 1), r.key()
    elif t.type in (4, 5):
        t.member = r.key()
    elif t.type == 6:
        t.to, t.amount, t.delay, t.until = r.key(), r.number(8), r.number(4), r.number(4)
        t.anchor, t.step, _ = r.key(), r.number(8), r.text(80)
    elif t.type == 7:
        t.channel, t.proof = r.key(), r.number(1, 1, 2)
        if t.proof == 1:
            t.payer, t.claimed, t.authorisation = r.key(), r.number(8), r.take(64)
        else:
            t.steps, t.word = r.number(4), r.key()
        t.signatures = 2 if t.proof == 1 else 5
    elif t.type == 8:
        t.channel = r.key()
    elif t.type == 9:
        t.to, t.amount, t.lock, t.height, t.time = r.key(), r.number(8), r.key(), r.number(4), r.number(6)
        r.text(80)
    elif t.type == 10:
        t.hashlock, t.preimage = r.key(), r.key()
    elif t.type == 11:
        t.hashlock = r.key()
    else:
        t.shares = r.list(4, lambda: (r.key(), r.number(2)))
        t.signatures = 2 if t.shares else 1
    return sealed(t, r, start)


def read_channel(r):
    c = Fields(payer=r.key(), to=r.key(), amount=r.number(8), paid=r.number(8), delay=r.number(4), closing=r.number(4))
    c.word, c.steps, c.step = r.key(), r.number(4), r.number(8)
    return c


def pack_channel(c):
    head = c.payer + c.to + struct.pack('>QQII', c.amount, c.paid, c.delay, c.closing)
    return head + c.word + struct.pack('>IQ', c.steps, c.step)


def read_hashlock(r):
    lock = Fields(payer=r.key(), to=r.key(), amount=r.number(8), lock=r.key(), height=r.number(4), time=r.number(6))
    return lock


def read_shares(r):
    return r.list(4, lambda: (r.key(), r.number(2)))


def read_link(r):
    source, target = (r.number(4), r.key()), (r.number(4), r.key())
    return Fields(source=source, target=target, bytes=r.data[r.at - 72 : r.at])


def decode(data, read):
    r = Reader(data)
    value = read(r)
    r.end()
    return value


# Section 4: targets and work


def next_target(genesis, parent_target, solve):
    interval = genesis.interval
    deviation = min(max(solve, 1), 20 * interval) - interval
    exponent = abs(deviation) * 65536 // (genesis.half_life * interval)
    exponent = exponent if deviation >= 0 else -exponent
    shifts, fraction = exponent // 65536, exponent % 65536
    cubic = 195766423245049 * fraction + 971821376 * fraction**2 + 5127 * fraction**3 + 2**47
    product, shift = parent_target * (65536 + cubic // 2**48), shifts - 16
    result = product << shift if shift >= 0 else product >> -shift
    return max(1, min(result, genesis.target_max))


def work_of(target):
    return 2**256 // (target + 1)


def subsidy_at(genesis, height):
    if height == 0 or genesis.halving == 0:
        return 0 if height == 0 else genesis.subsidy
    return genesis.subsidy >> (height - 1) // genesis.halving


def check_header(genesis, header, place):
    """The rules of section 4; `place` is that of the parent: its height, hash, target, time and its own parent's time."""
    check(header.height == place.height + 1, 'bad-height')
    solve = None if place.height == 0 else place.time - place.before
    target = genesis.target if solve is None else next_target(genesis, place.target, solve)
    check(header.parent == place.hash, 'unknown-parent')
    check(header.target == target, 'bad-target')
    check(int.from_bytes(header.hash, 'big') <= target, 'high-hash')
    check(header.time > place.time, 'time-too-old')


# Section 5: state


def coins(value):
    """What an entry holds. Its kind is known by its size: an account's, a reward's, a channel's and a hashlock's."""
    if len(value) in (16, 40):
        return int.from_bytes(value[-8:], 'big')
    if len(value) == 132:
        c = decode(value, read_channel)
        return c.amount - c.paid
    return decode(value, read_hashlock).amount if len(value) == 114 else 0


class State:
    """Entries by path, and the tree over them. A leaf is (path, hash), a branch [zero side, one side, hash or None]."""

    def __init__(self):
        self.values, self.root = {}, None
        self.paths = {}

    def path(self, kind, key):
        if (kind, key) not in self.paths:
            self.paths[kind, key] = tagged('state-key', bytes([kind]) + key)
        return self.paths[kind, key]

    def get(self, kind, key):
        return self.values.get(self.path(kind, key), b'')

    def set(self, kind, key, value):
        self.put(self.path(kind, key), value)

    def put(self, path, value):
        if value:
            self.values[path] = value
            self.root = self.insert(self.root, (path, tagged('state-leaf', path + value)), 0)
        elif self.values.pop(path, None) is not None:
            self.root = self.remove(self.root, path, 0)

    @staticmethod
    def side(path, depth):
        return path[depth >> 3] >> 7 - (depth & 7) & 1

    def insert(self, node, leaf, depth):
        if node is None or (isinstance(node, tuple) and node[0] == leaf[0]):
            return leaf
        if isinstance(node, tuple):
            old, node = node, [None, None, None]
            node[self.side(old[0], depth)] = old
        side = self.side(leaf[0], depth)
        node[side], node[2] = self.insert(node[side], leaf, depth + 1), None
        return node

    def remove(self, node, path, depth):
        if isinstance(node, tuple):
            return None
        side = self.side(path, depth)
        node[side], node[2] = self.remove(node[side], path, depth + 1), None
        rest = [each for each in node[:2] if each is not None]
        return rest[0] if len(rest) == 1 and isinstance(rest[0], tuple) else node

    def hash(self):
        return self.hash_of(self.root)

    def hash_of(self, node):
        if node is None:
            return bytes(32)
        if isinstance(node, tuple):
            return node[1]
        if node[2] is None:
            node[2] = tagged('state-node', self.hash_of(node[0]) + self.hash_of(node[1]))
        return node[2]


# Section 6: genesis


def read_hand(r):
    start = r.at
    hand = Fields(name=r.name(), time=r.number(6), interval=r.number(4), half_life=r.number(2))
    hand.target, hand.target_max = r.number(32), r.number(32)
    hand.bytes = r.data[start : r.at]
    return hand


def read_genesis(r):
    g = Fields(version=r.number(1, 1, 2), name=r.name(), time=r.number(6), interval=r.number(4), half_life=r.number(2))
    g.target, g.target_max, g.subsidy, g.halving = r.number(32), r.number(32), r.number(8), r.number(4)
    g.fee_floor, g.maturity, g.block_bytes = r.number(8), r.number(2), r.number(4)
    g.block_signatures, g.slow_ratio = r.number(2), r.number(2)
    g.authorities, g.signers, g.threshold = r.list(64, r.key), r.list(64, r.key), r.number(1)
    g.activations = r.list(64, lambda: (r.number(1), r.number(4)))
    g.allocations = r.list(10000, lambda: (r.key(), r.number(8)))
    g.hand = read_hand(r) if g.version == 2 else None
    return g


def check_genesis(g):
    rules = {
        'interval': g.interval >= 100,
        'halfLife': g.half_life >= 1,
        'target': 1 <= g.target <= g.target_max,
        'maturity': g.maturity >= 1,
        'blockBytesMax': 4096 <= g.block_bytes <= 1048576,
        'blockSignaturesMax': 2 <= g.block_signatures <= 8192,
        'slowRatio': g.slow_ratio >= 2 if g.hand else g.slow_ratio == 0,
        'halvingInterval': g.halving > 0 or g.subsidy == 0,
    }
    paid = sum((g.subsidy >> era) * g.halving for era in range(54))
    rules['supply'] = paid + sum(amount for _, amount in g.allocations) <= MAX64
    keys = [account for account, _ in g.allocations]
    for name, accounts in [('allocations', keys), ('authorities', g.authorities), ('checkpointSigners', g.signers)]:
        rules[name] = len(set(accounts)) == len(accounts) and all(map(account_point, accounts))
    rules['amounts'] = all(amount >= 1 for _, amount in g.allocations)
    types = [number for number, _ in g.activations]
    enrolled = {4, 5} & set(types) == ({4, 5} if g.authorities else set())
    rules['activations'] = len(set(types)) == len(types) and set(types) <= set(range(1, 13)) and enrolled
    if g.hand:
        rules['hand: interval'] = g.hand.interval == g.slow_ratio * g.interval
        rules['hand: halfLife'] = g.hand.half_life >= 1
        rules['hand: target'] = 1 <= g.hand.target <= g.hand.target_max
    n = len(g.signers)
    rules['checkpointThreshold'] = g.threshold == 0 if n == 0 else n < 2 * g.threshold <= 2 * n
    for name, kept in rules.items():
        check(kept, 'bad-genesis', name)


# Section 5: the tree of blocks, execution, fork choice and checkpoints


class Node:
    """A block at its place in the tree. `changes` are what it did, once it was executed, `logged` says that they are stored."""

    def __init__(self, header, parent, before, work, coinbase=None, transactions=()):
        self.__dict__.update(height=header.height, hash=header.hash, target=header.target, time=header.time)
        self.header, self.parent, self.before, self.work = header, parent, before, work
        self.coinbase, self.transactions, self.changes = coinbase, transactions, None
        self.logged = False  # its changes

    def at(self, height):
        node = self
        while node is not None and node.height > height:
            node = node.parent
        return node


class Ledger:
    def __init__(self, genesis_bytes, signatures):
        self.genesis = g = decode(genesis_bytes, read_genesis)
        check_genesis(g)
        self.genesis_bytes, self.signatures = genesis_bytes, signatures
        self.id = tagged('genesis', genesis_bytes)
        self.activations = dict(g.activations)
        self.state = State()
        for account, amount in g.allocations:
            self.state.set(ACCOUNT, account, struct.pack('>QQ', 0, amount))
        self.state.set(*TOTALS_AT, struct.pack('>QQQ', sum(amount for _, amount in g.allocations), 0, 0))
        zero = make_header(0, self.id, self.state.hash(), g.target, g.time, bytes(8))
        self.tip = self.first = self.block0 = Node(zero, None, None, 0)
        self.nodes = {self.tip.hash: self.tip}
        self.outside = 0
        self.headers = {0: zero.hash}  # of headers.log or a snapshot, by height
        self.times = {0: zero.time}
        self.window = (0, zero.hash, 0)
        self.headers_tip = self.block0
        self.justified = self.final = (0, zero.hash)
        self.certificates, self.votes = [], {}

    def stand_on(self, base):
        """Begins at a base instead of block 0; its entries follow."""
        before = base.parent_time
        self.state = State()
        self.tip = self.first = Node(base.header, None, before, base.work, base.coinbase)
        self.nodes = {self.tip.hash: self.tip}

    def signed(self, item, tag='sign'):
        return self.signatures.valid(item.sender, tagged(tag, self.id + item.body), item.signature)

    # Checking a block, steps 1 to 7

    def add(self, data):
        header = decode(data[:115], read_header)
        check(header.hash not in self.nodes, 'known')
        parent = self.nodes.get(header.parent)
        if parent is None and self.final[0] <= self.first.height > 0:
            self.outside += 1  # on a branch that left below the first block here: nobody can judge it
            return None
        check(parent is not None, 'unknown-parent', 'or one that is below what is final')
        check_header(self.genesis, header, parent)
        check(len(data) <= self.genesis.block_bytes, 'block-too-large')
        r = Reader(data)
        r.take(115)
        coinbase = read_coinbase(r)
        transactions = r.list(8192, lambda: read_transaction(r))
        r.end()
        self.check_coinbase(header, coinbase)
        check(merkle_root([t.leaf for t in transactions]) == coinbase.transactions_root, 'bad-transactions-root')
        count = 1 + sum(t.signatures for t in transactions)
        check(count <= self.genesis.block_signatures, 'too-many-signatures')
        check(account_point(coinbase.sender), 'bad-account', 'coinbase')
        check(self.signed(coinbase), 'bad-signature', 'coinbase')
        for place, transaction in enumerate(transactions):
            try:
                self.check_transaction(transaction)
            except Fault as fault:
                raise Fault(f'transaction {place}: {fault}') from None
        work = parent.work + work_of(header.target)
        node = self.nodes[header.hash] = Node(header, parent, parent.time, work, coinbase, transactions)
        return node

    def check_coinbase(self, header, c):
        check(c.leaf == header.content, 'bad-content')
        check(c.network == self.id[:4], 'wrong-network')
        check(c.height == header.height and c.parent == header.parent, 'bad-coinbase')
        check(self.genesis.hand or c.tick == bytes(32), 'bad-tick')

    def check_transaction(self, t):
        check(t.network == self.id[:4], 'wrong-network')
        if t.type == 1:
            check(account_point(t.to), 'bad-account', 'to')
        elif t.type == 3:
            fits = t.readings >= 1 and t.last >= t.first and t.sequence + t.readings <= MAX64
            check(fits, 'bad-batch')
        elif t.type in (4, 5):
            check(account_point(t.member), 'bad-account', 'member')
            check(t.sender in self.genesis.authorities, 'not-authority')
        elif t.type == 6:
            check(account_point(t.to), 'bad-account', 'to')
            check(t.amount >= 1 and t.delay >= 1 and (t.step == 0) == (t.anchor == bytes(32)), 'bad-channel')
        elif t.type == 9:
            check(account_point(t.to), 'bad-account', 'to')
            check(t.amount >= 1, 'bad-hashlock')
        elif t.type == 12:
            accounts = [account for account, _ in t.shares]
            check(all(map(account_point, accounts)), 'bad-account', 'shares')
            check(t.sender not in accounts and len(set(accounts)) == len(accounts), 'bad-split')
            check(all(parts >= 1 for _, parts in t.shares), 'bad-split')
            check(sum(parts for _, parts in t.shares) <= 10000, 'bad-split')
        check(account_point(t.sender), 'bad-account', 'from')
        check(self.signed(t), 'bad-signature')
        if t.type == 7 and t.proof == 1:
            check(account_point(t.payer), 'bad-account', 'payer')
            promise = Fields(sender=t.payer, body=t.channel + struct.pack('>Q', t.claimed), signature=t.authorisation)
            check(self.signed(promise, 'claim'), 'bad-claim', 'authorisation')

    # Execution

    def execute(self, node):
        """Runs a block on the state of its parent, and notes its changes. A fault leaves the state as it was."""
        before = {}
        try:
            self.run(node, before)
        except Fault:
            for (kind, key), value in before.items():
                self.state.set(kind, key, value)
            raise
        after = [(kind, key, old, self.state.get(kind, key)) for (kind, key), old in sorted(before.items())]
        node.changes = [change for change in after if change[2] != change[3]]

    def run(self, node, before):
        g, h, miner, state = self.genesis, node.height, node.coinbase.sender, self.state

        def put(kind, key, value):
            before.setdefault((kind, key), state.get(kind, key))
            state.set(kind, key, value)

        def account(key):
            return struct.unpack('>QQ', state.get(ACCOUNT, key) or bytes(16))

        def pay(key, amount):
            nonce, balance = account(key)
            if nonce or balance + amount:
                put(ACCOUNT, key, struct.pack('>QQ', nonce, balance + amount))

        def earn(key, amount):
            rest = amount
            for share, parts in decode(state.get(SPLIT, key) or bytes(2), read_shares):
                pay(share, amount * parts // 10000)
                rest -= amount * parts // 10000
            pay(key, rest)

        admitted = not g.authorities or miner in g.authorities or state.get(MEMBER, miner)
        check(admitted, 'not-admitted', f'mined by {miner.hex()}')
        ripe = (h - g.maturity).to_bytes(32, 'big') if h > g.maturity else None
        if ripe is not None and state.get(REWARD, ripe):
            owner, amount = struct.unpack('>32sQ', state.get(REWARD, ripe))
            put(REWARD, ripe, b'')
            pay(owner, amount)
        fees = readings = 0
        for place, t in enumerate(node.transactions):
            try:
                self.check_on_state(t, node, account(t.sender))
            except Fault as fault:
                raise Fault(f'transaction {place}: {fault}') from None
            nonce, balance = account(t.sender)
            put(ACCOUNT, t.sender, struct.pack('>QQ', nonce + 1, balance - t.amount - t.fee))
            if t.type == 1:
                earn(t.to, t.amount)
            elif t.type >= 6:
                self.trade(t, h, put, pay, earn)
            elif t.type == 4:
                put(MEMBER, t.member, t.member + struct.pack('>I', h))
            elif t.type == 5:
                put(MEMBER, t.member, b'')
            fees, readings = fees + t.fee, readings + t.readings
        most, reward = subsidy_at(g, h) + fees, node.coinbase.reward
        check(most <= MAX64, 'amount-overflow', 'fees')
        check(reward <= most, 'bad-reward', f'{reward} of {most}')
        if reward > 0:
            put(REWARD, h.to_bytes(32, 'big'), miner + struct.pack('>Q', reward))
        supply, count, read = struct.unpack('>QQQ', state.get(*TOTALS_AT))
        totals = (supply - fees + reward, count + len(node.transactions), read + readings)
        check(max(totals) <= MAX64, 'amount-overflow', 'totals')
        put(*TOTALS_AT, struct.pack('>QQQ', *totals))
        check(state.hash() == node.coinbase.state_root, 'bad-state-root', state.hash().hex())

    def trade(self, t, height, put, pay, earn):
        """What types 6 to 12 do, once they are checked."""
        name = tagged('transaction', self.id + t.body)
        if t.type == 6:
            c = Fields(payer=t.sender, to=t.to, amount=t.amount, paid=0, delay=t.delay, closing=t.until)
            c.word, c.steps, c.step = t.anchor, 0, t.step
            put(CHANNEL, name, pack_channel(c))
        elif t.type == 7:
            c = decode(self.state.get(CHANNEL, t.channel), read_channel)
            before, c.paid = c.paid, t.claimed if t.proof == 1 else t.steps * c.step
            if t.proof == 2:
                c.word, c.steps = t.word, t.steps
            put(CHANNEL, t.channel, pack_channel(c))
            earn(c.to, c.paid - before)
        elif t.type == 8:
            c = decode(self.state.get(CHANNEL, t.channel), read_channel)
            if t.sender == c.to or height >= c.closing:
                put(CHANNEL, t.channel, b'')
                pay(c.payer, c.amount - c.paid)
            else:
                c.closing = height + c.delay
                put(CHANNEL, t.channel, pack_channel(c))
        elif t.type == 9:
            deadline = t.lock + struct.pack('>I', t.height) + t.time.to_bytes(6, 'big')
            put(HASHLOCK, name, t.sender + t.to + struct.pack('>Q', t.amount) + deadline)
        elif t.type in (10, 11):
            lock = decode(self.state.get(HASHLOCK, t.hashlock), read_hashlock)
            put(HASHLOCK, t.hashlock, b'')
            if t.type == 10:
                earn(lock.to, lock.amount)
            else:
                pay(lock.payer, lock.amount)
        else:
            packed = b''.join(account + struct.pack('>H', parts) for account, parts in t.shares)
            put(SPLIT, t.sender, struct.pack('>H', len(t.shares)) + packed if t.shares else b'')

    def median_time(self, node):
        """Of the chain below a block."""
        height = node.height - 6 if node.height >= 11 else node.height // 2
        found = node.at(height)
        if found is not None:
            return found.time
        check(height in self.times, 'headers', f'the time of block {height} is not here')
        return self.times[height]

    def check_trade(self, t, node):
        """The rules of channels and hashlocks in a block."""
        height, kind = node.height, CHANNEL if t.type < 9 else HASHLOCK
        entry = self.state.get(kind, t.channel if t.type < 9 else t.hashlock)
        check(entry, 'unknown-channel' if t.type < 9 else 'unknown-hashlock')
        if t.type == 7:
            c = decode(entry, read_channel)
            claimed = t.claimed if t.proof == 1 else t.steps * c.step
            check(claimed <= c.amount, 'bad-claim', 'more than the channel has')
            check(claimed > c.paid, 'claim-not-higher')
            if t.proof == 1:
                check(t.payer == c.payer, 'bad-claim', 'payer')
                return
            check(t.steps > c.steps, 'claim-not-higher')
            check(t.steps - c.steps <= STEPS, 'too-many-steps')
            word = t.word
            for _ in range(t.steps - c.steps):
                word = tagged('word', word)
            check(word == c.word, 'bad-claim', 'word')
        elif t.type == 8:
            c = decode(entry, read_channel)
            ends = t.sender == c.to or height >= c.closing
            check(ends or (t.sender == c.payer and height + c.delay < c.closing), 'not-closable')
        else:
            lock = decode(entry, read_hashlock)
            passed = height >= lock.height and self.median_time(node) >= lock.time
            check(t.type == 11 or not passed, 'deadline-passed')
            check(t.type == 10 or passed, 'deadline-not-passed')
            check(t.type == 11 or sha(t.preimage) == lock.lock, 'bad-preimage')

    def check_on_state(self, t, node, sender):
        height, miner, (nonce, balance) = node.height, node.coinbase.sender, sender
        check(self.activations.get(t.type, height + 1) <= height, 'type-not-active')
        check(t.expiry >= height, 'expired')
        floor = self.genesis.fee_floor * -(-t.size // 1000)
        check(t.fee >= floor or t.sender == miner, 'fee-too-low')
        check(t.nonce >= nonce, 'nonce-too-low')
        check(t.nonce == nonce, 'nonce-gap')
        check(t.amount + t.fee <= MAX64, 'amount-overflow')
        check(t.amount + t.fee <= balance, 'insufficient-balance')
        if t.type in (7, 8, 10, 11):
            self.check_trade(t, node)
        if t.type in (4, 5):
            member = bool(self.state.get(MEMBER, t.member))
            check(t.type == 5 or not (member or t.member in self.genesis.authorities), 'already-member')
            check(t.type == 4 or member, 'not-member')

    # Fork choice

    def move(self, to):
        """Makes a block the tip: (how many came off, nodes put on)."""
        old, new, off, on = self.tip, to, [], []
        while old is not new:
            if old.height >= new.height:
                off.append(old)
                if old.parent is None:
                    raise UndoesBase(f'block {old.height} {old.hash.hex()} comes off, and what was below is not here')
                old = old.parent
            else:
                on.insert(0, new)
                new = new.parent
        for node in off:
            self.replay(node, 2)
        done = []
        for node in on:
            try:
                if node.changes is None:
                    self.execute(node)
                else:
                    self.replay(node, 3)
            except Fault:
                for each in reversed(done):
                    self.replay(each, 2)
                for each in reversed(off):
                    self.replay(each, 3)
                for key in self.on_top_of(node):
                    del self.nodes[key]
                raise
            done.append(node)
        self.tip = to
        return len(off), on

    def replay(self, node, which):
        for change in node.changes:
            self.state.set(change[0], change[1], change[which])

    def contains(self, node, checkpoint):
        """A checkpoint below the first block that is here is below everything."""
        return checkpoint[0] < self.first.height or (node.at(checkpoint[0]) or node).hash == checkpoint[1]

    def best_after(self, node):
        """Where the tip moves when this block was added; None: nowhere."""
        if node is None or node.work <= self.tip.work:
            return None
        return self.move(node) if node.parent is self.tip or self.contains(node, self.justified) else None

    # Checkpoints

    def check_link(self, link):
        (low, source), (high, _) = link.source, link.target
        check(low % STEP == 0 and high % STEP == 0 and high > low, 'bad-checkpoint', f'heights {low} and {high}')
        check(low > 0 or source == self.block0.hash, 'bad-checkpoint', 'not block 0')

    def check_certificate(self, data):
        r = Reader(data)
        link = read_link(r)
        signatures = r.list(64, lambda: (r.number(1), r.take(64)))
        r.end()
        self.check_link(link)
        places = [place for place, _ in signatures]
        check(places == sorted(set(places)), 'bad-checkpoint', 'order of signers')
        check(all(place < len(self.genesis.signers) for place in places), 'bad-checkpoint', 'no such signer')
        check(len(places) >= max(1, self.genesis.threshold), 'bad-checkpoint', 'too few signers')
        for place, signature in signatures:
            vote = Fields(sender=self.genesis.signers[place], body=link.bytes, signature=signature)
            check(self.signed(vote, 'checkpoint'), 'bad-signature', f'signer {place}')
        return link

    def is_here(self, checkpoint):
        """Whether the tree has this block, or may have had it below the first one."""
        height, key = checkpoint
        if height < self.first.height:
            return self.headers.get(height, key) == key
        return key in self.nodes and self.nodes[key].height == height

    def certify(self, data):
        """Applies a certificate: where the tip moves, or None."""
        link = self.check_certificate(data)
        check(link.target[0] > self.final[0], 'known', 'target is not above what is final')
        check(link.source[0] >= self.final[0], 'below-final', 'source')
        check(self.is_here(link.source) and self.is_here(link.target), 'bad-checkpoint', 'block is not here')
        target, moved = self.nodes.get(link.target[1]), None
        builds = target is None or self.contains(target, link.source)
        check(builds, 'bad-checkpoint', 'target does not build on source')
        if link.target[0] > self.justified[0] and not self.contains(self.tip, link.target):
            moved = self.move_onto(target)
        check(self.contains(self.tip, link.target), 'bad-checkpoint', 'target excludes what is justified')
        self.justified = max(self.justified, link.target)
        if link.target[0] == link.source[0] + STEP and link.source[0] > self.final[0]:
            self.final = link.source
            if self.final[0] > self.first.height:
                self.nodes = self.on_top_of(self.nodes[self.final[1]])
        self.certificates.append(data)
        return moved

    def on_top_of(self, root):
        """A block and those that build on it, in the order of their coming."""
        kept = {root.hash: root}
        for key, node in self.nodes.items():
            if node.parent is not None and node.parent.hash in kept:
                kept[key] = node
        return kept

    def move_onto(self, root):
        """Makes the block with the most work on top of one the tip, of equals the first, of valid ones only."""
        fault = None
        for leaf in sorted(self.on_top_of(root).values(), key=lambda node: -node.work):
            if leaf.hash in self.nodes:
                try:
                    return self.move(leaf)
                except Fault as outcome:
                    fault = outcome
        raise fault

    def check_vote(self, data):
        r = Reader(data)
        link = read_link(r)
        vote = Fields(sender=r.key(), body=link.bytes, signature=r.take(64))
        r.end()
        check(vote.sender in self.genesis.signers, 'not-a-signer')
        self.check_link(link)
        check(self.signed(vote, 'checkpoint'), 'bad-signature', 'vote')
        last = self.votes.get(vote.sender)
        if last is not None and last.bytes != link.bytes:
            grows = link.target[0] > last.target[0] and link.source[0] >= last.source[0]
            check(grows, 'bad-checkpoint', 'a vote against an earlier one')
        self.votes[vote.sender] = link

    def report(self):
        state, height = self.state, self.tip.height
        supply, transactions, readings = struct.unpack('>QQQ', state.get(*TOTALS_AT))
        owned = sum(map(coins, state.values.values()))
        check(owned == supply, 'supply', f'all coins are {owned}, not {supply}')
        check(self.tip is self.block0 or state.hash() == self.tip.coinbase.state_root, 'bad-state-root')
        return {
            'height': height,
            'tip': self.tip.hash.hex(),
            'stateRoot': state.hash().hex(),
            'supply': supply,
            'transactions': transactions,
            'readings': readings,
            'final': self.final[0],
            'justified': self.justified[0],
            'work': str(self.tip.work),
            'first': self.first.height,
            'window': self.window[0],
            'entries': len(state.values),
            'signatures': self.signatures.checked,
            'outside': self.outside,
        }


# Section 10: segments, headers.log and snapshots


def read_base(r):
    base = Fields(header=read_header(r), coinbase=read_coinbase(r))
    base.parent_time, base.work, base.entries = r.number(6), r.number(32), r.number(4)
    return base


def add_headers(ledger, data):
    """One record of 256 headers, on top of those before."""
    r, parent = Reader(data), ledger.headers_tip

    def follow(header):
        nonlocal parent
        check_header(ledger.genesis, header, parent)
        ledger.headers[header.height], ledger.times[header.height] = header.hash, header.time
        work = parent.work + work_of(header.target)
        parent = Node(header, None, parent.time, work)

    first = read_header(r)
    rest = r.list(GROUP - 1, lambda: (r.key(), r.number(6), r.take(8)))
    parent_time, last, work = r.number(6), r.key(), r.number(32)
    r.end()
    check(len(rest) == GROUP - 1, 'headers', f'{len(rest) + 1} headers')
    check(parent_time == parent.time, 'headers', 'parentTime')
    follow(first)
    for content, time, nonce in rest:
        target = next_target(ledger.genesis, parent.target, parent.time - parent.before)
        follow(make_header(parent.height + 1, parent.hash, content, target, time, nonce))
    check(last == parent.hash, 'headers', 'hash of the last one')
    check(work == parent.work, 'headers', 'work')
    ledger.headers_tip = parent
    ledger.window = (parent.height, parent.hash, parent.work)


def read_entries(r):
    return r.list(4096, lambda: (r.key(), r.blob(1024)))


class Replay:
    """Brings the batches of segments into a ledger, in order."""

    def __init__(self, ledger):
        self.ledger, self.blocks = ledger, 0
        self.pending, self.before = [], None  # records that are still to come, and the tip before them

    def log(self, log, first, opening, at):
        """A segment, or the end of a snapshot, from its batch `at`. `first`: what came before is not here."""
        check(log.genesis == self.ledger.genesis_bytes, 'another genesis', log.name)
        check(opening or (first and log.name[:6] != 'chain-'), log.name, 'no base')
        if opening:
            at = self.base(log, opening, at, first)
        for batch in log.batches[at:]:
            log.faults(batch[0], self.batch, log, batch)
        self.end()

    def base(self, log, opening, at, first):
        record = opening[0]
        found = ' '.join(KINDS[kind - 1] for kind in kinds(opening))
        log.faults(record, check, re.fullmatch('base accounts( certificate){0,2}( vote)?', found), 'records', found)
        base = log.faults(record, decode, record.payload, read_base)
        entries, last = {}, b''
        while len(entries) < base.entries:
            check(at < len(log.batches), log.name, 'ends inside the state of its base')
            batch = log.batches[at]
            log.faults(batch[0], check, kinds(batch) == [STATE], 'state', 'entries are missing')
            for path, value in log.faults(batch[0], decode, batch[0].payload, read_entries):
                log.faults(batch[0], check, path > last and value, 'state', 'order of the entries')
                entries[path], last = value, path
            at += 1
        log.faults(record, check, len(entries) == base.entries, 'state', 'too many entries')
        log.faults(record, self.stand_on if first else self.same, base, entries)
        for each in opening[1:]:
            log.faults(each, self.kept, each, first)
        return at

    def stand_on(self, base, entries):
        ledger, header, coinbase = self.ledger, base.header, base.coinbase
        ledger.check_coinbase(header, coinbase)
        check(account_point(coinbase.sender), 'bad-account', 'coinbase')
        check(ledger.signed(coinbase), 'bad-signature', 'coinbase')
        check(int.from_bytes(header.hash, 'big') <= header.target, 'high-hash')
        check(header.height % GROUP == 0 and header.height > 0, 'bad-height')
        if len(ledger.headers) > 1:
            if ledger.headers.get(header.height) != header.hash:
                raise UndoesBase('the base is not among the headers')
        ledger.stand_on(base)
        for path, value in entries.items():
            ledger.state.put(path, value)
        check(ledger.state.hash() == coinbase.state_root, 'bad-state-root')
        if header.height == ledger.window[0]:
            check(base.work == ledger.window[2], 'work of the base')
            check(base.parent_time == ledger.headers_tip.before, 'parentTime of the base')

    def same(self, base, entries):
        """The base of a later segment is the block on which the one before ends, and its state is what was executed."""
        ledger, tip = self.ledger, self.ledger.tip
        check(base.header.hash == tip.hash, 'base', f'the segment before ends at block {tip.height} {tip.hash.hex()}')
        check(base.header.height % GROUP == 0, 'base', 'height')
        own = (tip.coinbase.leaf, tip.before, tip.work)
        check((base.coinbase.leaf, base.parent_time, base.work) == own, 'base', 'coinbase, parentTime or work')
        check(entries == ledger.state.values, 'bad-state-root', 'the entries are not the executed state')

    def kept(self, record, first):
        """What a segment repeats of the one before."""
        ledger = self.ledger
        if record.kind == VOTE:
            ledger.check_vote(record.payload)
        elif record.kind == ACCOUNTS:
            decode(record.payload, lambda r: r.list(1000, r.key))
        elif not first:
            check(record.payload in ledger.certificates, 'bad-checkpoint', 'a certificate that was never applied')
        else:
            link = ledger.check_certificate(record.payload)
            here = ledger.is_here(link.source) and ledger.is_here(link.target)
            check(here, 'bad-checkpoint', 'names another block')
            if link.target[0] > ledger.justified[0]:
                ledger.justified = link.target
            if link.target[0] == link.source[0] + STEP and link.source[0] > ledger.final[0]:
                ledger.final = link.source
            ledger.certificates.append(record.payload)

    def batch(self, log, batch):
        ledger, record = self.ledger, batch[0]
        if self.pending and record.kind not in (CHANGES, TIP):
            self.end()
        if kinds(batch) == [VOTE]:
            ledger.check_vote(record.payload)
            return
        rest = batch
        if not self.pending:
            check(record.kind in (BLOCK, CERTIFICATE), 'a record in the wrong place')
            rest, self.before = batch[1:], ledger.tip
            self.pending = self.follows(record)
        check(len(rest) <= len(self.pending), 'records', f'{len(self.pending)} were expected after it')
        large = sum(len(payload) for _, payload, _ in self.pending) + len(record.payload) > SPLIT_ABOVE
        check(len(rest) == len(self.pending) or large, 'records', f'{len(self.pending)} were expected after it')
        for each, (kind, payload, node) in zip(rest, self.pending):
            log.faults(each, check, (each.kind, each.payload) == (kind, payload), 'not what execution gives')
            node.logged = True
        self.pending = self.pending[len(rest) :]

    def end(self):
        """A move whose last batches are missing does not count."""
        if self.pending:
            self.ledger.move(self.before)
            self.pending = []

    def follows(self, record):
        """The records that have to follow a block or a certificate: kind, payload, of which block."""
        if record.kind == BLOCK:
            self.blocks += 1
            moved = self.ledger.best_after(self.ledger.add(record.payload))
        else:
            moved = self.ledger.certify(record.payload)
        if moved is None:
            return []
        off, on = moved
        tip = struct.pack('>IH', off, len(on)) + b''.join(node.hash for node in on)
        return [(CHANGES, self.changes(node), node) for node in on if not node.logged] + [(TIP, tip, on[-1])]

    @staticmethod
    def changes(node):
        packed = [
            bytes([kind]) + key + struct.pack('>I', len(before)) + before + struct.pack('>I', len(after)) + after
            for kind, key, before, after in node.changes
        ]
        return node.hash + struct.pack('>H', len(packed)) + b''.join(packed)


def verify_directory(folder, signatures, recover):
    names = sorted(name for name in os.listdir(folder) if re.fullmatch(r'chain(-\d{10})?\.log', name))
    names.sort(key=lambda name: name != 'chain.log')
    check(names, 'no segment', folder)
    logs = [Log(os.path.join(folder, name), name == names[-1], recover) for name in names]
    path, fault = os.path.join(folder, 'headers.log'), 'headers.log does not reach it'
    headers = Log(path, True, recover) if os.path.exists(path) else None
    for start, name in enumerate(names):
        ledger = Ledger(logs[0].genesis, signatures)
        if headers is not None:
            read_headers(ledger, headers, headers.batches[1:])
        replay = Replay(ledger)
        if name != 'chain.log' and int(name[6:16]) > ledger.window[0]:
            raise Fault(f'{names[0]}: {fault}')
        try:
            for log in logs[start:]:
                replay.log(log, log is logs[start], log.batches[0][1:], 1)
            break
        except UndoesBase as outcome:  # it was kept although its base was undone: begin with the next
            fault = str(outcome)
            check(name != 'chain.log', name, fault)
    else:
        raise Fault(f'{names[0]}: {fault}')
    height, node = ledger.window[0], ledger.tip
    check(height == 0 or f'chain-{height:010}.log' in names, 'no segment', f'for the window at height {height}')
    while node is not None:
        check(node.height > height or ledger.headers[node.height] == node.hash, 'headers', f'height {node.height}')
        node = node.parent
    report = {**ledger.report(), 'blocks': replay.blocks, 'segments': len(logs) - start, 'cut': logs[-1].cut}
    path = os.path.join(folder, 'hand.log')
    return {**report, 'hand': verify_hand(path, ledger, recover)} if os.path.exists(path) else report


# Section 14: the slow hand


def read_tick(r):
    tick = Fields(header=read_header(r))
    tick.anchors = r.list(1024, lambda: read_anchor(r))
    return tick


def read_anchor(r):
    anchor = Fields(ledger=r.key(), height=r.number(4), block=r.key())
    anchor.bytes = r.data[r.at - 68 : r.at]
    return anchor


class Hand:
    """Ticks at their places in the tree, and the last one of the best chain."""

    def __init__(self, rules):
        self.rules = rules
        name = tagged('hand', rules.bytes)
        self.tip = Node(make_header(0, name, bytes(32), rules.target, rules.time, bytes(8)), None, None, 0)
        self.nodes = {self.tip.hash: self.tip}

    def add(self, data):
        tick = decode(data, read_tick)
        header, parent = tick.header, self.nodes.get(tick.header.parent)
        check(header.hash not in self.nodes, 'known')
        check(parent is not None, 'unknown-parent')
        check_header(self.rules, header, parent)
        ledgers = [anchor.ledger for anchor in tick.anchors]
        check(ledgers == sorted(set(ledgers)), 'bad-anchors')
        leaves = [tagged('anchor', anchor.bytes) for anchor in tick.anchors]
        check(header.content == merkle_root(leaves), 'bad-content')
        node = self.nodes[header.hash] = Node(header, parent, parent.time, parent.work + work_of(header.target))
        node.anchors = tick.anchors
        if node.work > self.tip.work:
            self.tip = node

    def report(self, ledger):
        """What the ledger and the hand say of each other. Wrong names are no fault, so they are counted only."""
        ticks, blocks = chain_of(self.tip), chain_of(ledger.tip)
        on_ledger = set(ledger.headers.items()) | {(node.height, node.hash) for node in blocks}
        on_hand = {node.hash for node in ticks}
        anchors = [each for node in ticks[1:] for each in node.anchors if each.ledger == ledger.id]
        return {
            'height': self.tip.height,
            'tip': self.tip.hash.hex(),
            'work': str(self.tip.work),
            'ticks': len(self.nodes) - 1,
            'anchors': len(anchors),
            'anchored': sum((each.height, each.block) in on_ledger for each in anchors),
            'named': sum(node.coinbase is not None and node.coinbase.tick in on_hand for node in blocks),
        }


def chain_of(node):
    """The nodes up to this one, the lowest first."""
    nodes = []
    while node is not None:
        nodes.append(node)
        node = node.parent
    return nodes[::-1]


def verify_hand(path, ledger, recover):
    """hand.log beside a ledger."""
    log = Log(path, True, recover, HAND_KINDS)
    rules, records = ledger.genesis.hand, [record for batch in log.batches for record in batch]
    check(rules is not None, log.name, 'the network has no slow hand')
    check(log.genesis == rules.bytes, log.name, 'another slow hand')
    hand = Hand(rules)
    for record in records[1:]:
        log.faults(record, check, record.kind == TICK, 'not a tick')
        log.faults(record, hand.add, record.payload)
    return {**hand.report(ledger), 'cut': log.cut}


def read_headers(ledger, log, batches):
    check(log.genesis == ledger.genesis_bytes, 'another genesis', log.name)
    check(len(log.batches[0]) == 1, 'records beside the genesis', log.name)
    for batch in batches:
        for record in batch:
            log.faults(record, check, record.kind == HEADERS, 'not headers')
            log.faults(record, add_headers, ledger, record.payload)


def verify_file(path, signatures, recover):
    """A segment by itself, a snapshot, or headers alone."""
    log = Log(path, True, recover)
    ledger, at = Ledger(log.genesis, signatures), 1
    while at < len(log.batches) and log.batches[at][0].kind == HEADERS:
        at += 1
    replay, opening = Replay(ledger), log.batches[0][1:]
    if at > 1:
        read_headers(ledger, log, log.batches[1:at])
        if at == len(log.batches):
            return {'height': ledger.window[0], 'tip': ledger.window[1].hex(), 'work': str(ledger.window[2])}
        opening, at = log.batches[at], at + 1
    try:
        replay.log(log, True, opening, at)
    except UndoesBase as fault:
        raise Fault(str(fault)) from None
    if ledger.window[0] > 0:
        check(log.cut is None, 'snapshot', 'it is not whole')
        check(ledger.first.height == ledger.window[0], 'headers', 'they do not end at the base')
        check(replay.blocks == 0 and not ledger.votes, 'snapshot', 'it has no blocks and no vote')
    return {**ledger.report(), 'blocks': replay.blocks, 'segments': 1, 'cut': log.cut}


def main(arguments):
    every = 1
    if '--sample-signatures' in arguments:
        place = arguments.index('--sample-signatures')
        every = int(arguments[place + 1])
        del arguments[place : place + 2]
    recover = '--recover' in arguments
    arguments = [each for each in arguments if each != '--recover']
    if len(arguments) != 1 or every < 1:
        sys.exit(__doc__)
    sys.setrecursionlimit(5000)
    signatures = Signatures(every, quick_verifier())
    try:
        verify = verify_directory if os.path.isdir(arguments[0]) else verify_file
        print(json.dumps(verify(arguments[0], signatures, recover)))
    except Fault as fault:
        sys.exit(f'{arguments[0]}: {fault}')


if __name__ == '__main__':
    main(sys.argv[1:])
