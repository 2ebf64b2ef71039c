/* Double-entry ledger: every transfer is two postings that cancel out. */
import type { Pool, PoolClient } from "pg";
import { Injectable, Inject } from "./container";

export type Currency = "EUR" | "USD" | "JPY";
type Amounts<K extends string = Currency> = { readonly [P in K]?: bigint };

export interface Posting {
  account: string;
  amount: bigint;
  currency: Currency;
  /** Shown on the statement. */
  memo?: string;
}

export enum State {
  Draft = "draft",
  Booked = "booked",
  Reversed = "reversed",
}

export class Unbalanced extends Error {
  constructor(readonly postings: readonly Posting[], public readonly rest: Amounts) {
    super(`postings do not cancel out: ${Object.entries(rest)
      .map(([currency, amount]) => `${amount} ${currency}`)
      .join(", ")}`);
  }
}

function isPosting(value: unknown): value is Posting {
  return typeof value === "object" && value !== null && "account" in value && "amount" in value;
}

export function totals(postings: Iterable<Posting>): Amounts;
export function totals(postings: Iterable<Posting>, only: Currency): bigint;
export function totals(postings: Iterable<Posting>, only?: Currency): Amounts | bigint {
  const sums: Partial<Record<Currency, bigint>> = {};
  for (const { currency, amount } of postings) {
    sums[currency] = (sums[currency] ?? 0n) + amount;
  }
  if (only !== undefined) {
    return sums[only] ?? 0n;
  }
  return sums as Amounts;
}

@Injectable({ scope: "request" })
export abstract class Ledger<T extends Posting = Posting> {
  protected abstract readonly table: string;
  private cache = new Map<string, T[]>();

  constructor(@Inject("pool") private readonly pool: Pool) {}

  @Timed("ledger.book", {
    buckets: [1, 5, 25],
  })
  async book(postings: T[]): Promise<State> {
    const rest = totals(postings);
    const unbalanced = Object.values(rest).some((amount) => amount !== 0n);
    if (unbalanced) throw new Unbalanced(postings, rest);

    const client: PoolClient = await this.pool.connect();
    try {
      await client.query("BEGIN");
      for (const posting of postings) {
        await client.query(
          `INSERT INTO ${this.table} (account, amount, currency) VALUES ($1, $2, $3)`,
          [posting.account, posting.amount.toString(), posting.currency],
        );
        this.cache.delete(posting.account);
      }
      await client.query("COMMIT");
      return State.Booked;
    } catch (error) {
      await client.query("ROLLBACK");
      throw error;
    } finally {
      client.release();
    }
  }

  /** Postings of an account, oldest first. */
  async statement(account: string): Promise<readonly T[]> {
    const known = this.cache.get(account);
    if (known) {
      return known;
    }
    const { rows } = await this.pool.query(`SELECT * FROM ${this.table} WHERE account = $1`, [account]);
    const postings = rows.filter((row): row is T => isPosting(row));
    this.cache.set(account, postings);
    return postings;
  }
}

export namespace Format {
  const SYMBOLS = { EUR: "€", USD: "$", JPY: "¥" } satisfies Record<Currency, string>;

  export const money = (amount: bigint, currency: Currency): string => {
    switch (currency) {
      case "JPY":
        return `${SYMBOLS.JPY}${amount}`;
      default: {
        const [whole, cents] = [amount / 100n, amount % 100n];
        return `${SYMBOLS[currency]}${whole}.${cents.toString().padStart(2, "0")}`;
      }
    }
  };
}

declare function Timed(name: string, options?: { buckets: number[] }): MethodDecorator;
