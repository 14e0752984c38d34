/**
 * Lines of the 40-pin header, whichever way the kernel offers them: sysfs (through onoff) or the character device (through
 * the gpiod tools).
 *
 * Pins are BCM numbers. Values are logical: with `activeLow` a line at ground reads 1, and 1 drives it to ground.
 */
export {};
//# sourceMappingURL=line.js.map