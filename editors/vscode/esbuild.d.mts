/** Bundles into a folder. */
export function bundle(folder: string): Promise<void>;
