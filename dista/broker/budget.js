export class Budget {
    #members = new Set();
    #outgoingTotalBytesMax;
    receiving = 0;
    outgoing = 0;
    constructor(outgoingTotalBytesMax) {
        this.#outgoingTotalBytesMax = outgoingTotalBytesMax;
    }
    add(member) {
        this.#members.add(member);
    }
    remove(member) {
        this.#members.delete(member);
    }
    /** Cuts off whoever is furthest behind while all together wait for too much. */
    settle() {
        while (this.outgoing > this.#outgoingTotalBytesMax) {
            let worst;
            for (const member of this.#members)
                if (member.backlog > (worst?.backlog ?? 0))
                    worst = member;
            if (worst === undefined)
                return;
            worst.cut('readers-too-slow');
        }
    }
}
//# sourceMappingURL=budget.js.map