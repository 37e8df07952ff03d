/** As much of `better-sqlite3` as the tests use, which ships no types. */
declare module "better-sqlite3" {
  interface Statement<Result> {
    all(...parameters: ReadonlyArray<unknown>): Array<Result>
    get(...parameters: ReadonlyArray<unknown>): Result | undefined
    raw(): Statement<ReadonlyArray<unknown>>
    run(...parameters: ReadonlyArray<unknown>): unknown
  }

  export default class Database {
    constructor(path: string, options?: { readonly readonly?: boolean; readonly timeout?: number })
    prepare<Result = unknown>(text: string): Statement<Result>
    exec(text: string): void
    pragma(text: string): unknown
    close(): void
  }
}
