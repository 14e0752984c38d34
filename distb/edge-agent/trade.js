export {};
//# sourceMappingURL=trade.js.map