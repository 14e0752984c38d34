"""The log files of docs/PROTOCOL.md section 10: records, batches, and what a torn write may leave of the last one."""
import hashlib
import os
import re
import struct

GENESIS, BLOCK, CHANGES, TIP, BASE, STATE, HEADERS, CERTIFICATE, VOTE, ACCOUNTS = range(1, 11)
KINDS = 'genesis block changes tip base state headers certificate vote accounts'.split()
HAND_KINDS, TICK = 'hand tick'.split(), 2  # of hand.log, section 14


class Fault(Exception):
    pass


def check(fact, code, detail=''):
    if not fact:
        raise Fault(f'{code}: {detail}' if detail else code)


def sha(data):
    return hashlib.sha256(data).digest()


class Record:
    """The record at this place of a file; `head` and `whole` say what of it checks."""

    def __init__(self, data, at):
        self.start, head = at, data[at : at + 12]
        self.head = len(data) >= at + 16 and sha(head)[:4] == data[at + 12 : at + 16]
        self.whole = self.ends_early = False
        if self.head:
            self.size, self.kind, self.flags = struct.unpack('>IBB', head[:6])
            self.sequence, self.end = int.from_bytes(head[6:], 'big'), at + 16 + self.size + 8
            self.fits = self.size <= 16777216 and self.flags <= 1 and 1 <= self.kind <= 10
            self.ends_early = self.end > len(data)
            if self.fits and not self.ends_early:
                self.payload = data[at + 16 : self.end - 8]
                self.whole = sha(data[at : self.end - 8])[:8] == data[self.end - 8 : self.end]


def in_pieces(data, bad, sequence):
    """Whether what does not check at this place can be what a power cut left of the last batch."""
    if bad.head and bad.flags == 1:
        return bad.end == len(data)
    after, begin = [], bad.end if bad.head else bad.start + 1
    for match in re.finditer(rb'(?s)(?=[\0\1].{4}[\0\1])', data[begin:]):
        at = begin + match.start()
        if not after or at >= after[-1].end:
            found = Record(data, at)
            if found.whole and found.sequence > sequence:
                after.append(found)
    same = not after or bad.head or after[0].kind in (CHANGES, TIP)
    return same and all(each.flags == 0 or each.end == len(data) for each in after)


def batches_of(path, last, recover):
    """The batches of a log, each a list of records, and where it was cut (None: nowhere). Only a last file is ever cut."""
    with open(path, 'rb') as file:
        data = file.read()
    batches, batch, at, sequence, cut = [], [], 8, 0, False

    def require(fact, code):
        check(fact, f'{os.path.basename(path)}, record {sequence} at byte {at}', code)

    require(data[:8] == b'PINLOG\0\1', 'bad-magic or version')
    while at < len(data) and not cut:
        record = Record(data, at)
        record.number = sequence
        if len(data) - at < 16:
            cut = True
        elif not record.head:
            require(recover and in_pieces(data, record, sequence), 'bad-header')
            cut = True
        else:
            require(record.fits and record.sequence == sequence, 'length, kind, flags or sequence')
            cut = record.ends_early
            if not cut and not record.whole:
                require(recover and in_pieces(data, record, sequence), 'bad-payload')
                cut = True
        if not cut:
            batch.append(record)
            require(record.end - batch[0].start <= 67108864, 'batch too long')
            at, sequence = record.end, sequence + 1
            if record.flags == 1:
                batches.append(batch)
                batch = []
    cut = batch[0].start if batch else at if cut else None
    require(cut is None or last, 'the file ends inside a batch')
    require(batches and batches[0][0].kind == GENESIS, 'no genesis')
    return batches, cut


class Log:
    """One log file, read."""

    def __init__(self, path, last, recover, kinds=KINDS):
        self.name, self.kinds = os.path.basename(path), dict(enumerate(kinds, 1))
        self.batches, self.cut = batches_of(path, last, recover)
        self.genesis = self.batches[0][0].payload

    def faults(self, record, run, *arguments):
        """Runs a check, and says where it failed."""
        try:
            return run(*arguments)
        except Fault as fault:
            kind = self.kinds.get(record.kind, record.kind)
            place = f'{self.name}, record {record.number} ({kind}) at byte {record.start}'
            raise Fault(f'{place}: {fault}') from None


def kinds(batch):
    return [record.kind for record in batch]
