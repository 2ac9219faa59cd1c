// The program's version, put in by the bundler; running from source has the version the test configuration gives.

declare const CHOO_VERSION: string;

/** Version of this program as package.json has it, without a leading `v`. */
export const VERSION: string = CHOO_VERSION;
