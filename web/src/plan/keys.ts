// Where keys lead among bays.

/** On the screen. */
export const arrows: Readonly<Record<string, readonly [dx: number, dy: number]>> = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

export const toEnd = (key: string, count: number): number | undefined => (key === 'Home' ? 0 : key === 'End' ? count - 1 : undefined);
