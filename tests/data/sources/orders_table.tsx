import * as React from "react";
import { useQuery } from "./query";

type Order = { id: number; customer: string; total: number; lines: { sku: string; count: number }[] };
type SortKey = keyof Pick<Order, "id" | "customer" | "total">;

interface Props<T extends Order = Order> {
  filter?: (order: T) => boolean;
  onOpen(order: T): void;
}

const money = new Intl.NumberFormat("en", { style: "currency", currency: "EUR" });

const SortButton: React.FC<{ active: boolean; onClick: () => void; children?: React.ReactNode }> = (props) => (
  <button aria-pressed={props.active} onClick={props.onClick}>
    {props.children} {props.active && "▼"}
  </button>
);

export function OrdersTable<T extends Order>({ filter, onOpen }: Props<T>): JSX.Element {
  const [key, setKey] = React.useState<SortKey>("id");
  const { data, error } = useQuery<T[]>("/orders", { every: 30_000 });

  const orders = React.useMemo(() => {
    const rows = (data ?? []).filter(filter ?? (() => true));
    rows.sort((a, b) => {
      if (typeof a[key] === "number") {
        return Number(b[key]) - Number(a[key]);
      }
      return String(a[key]).localeCompare(String(b[key]));
    });
    return rows;
  }, [data, filter, key]);

  if (error) {
    return <p className="error">Orders could not be loaded: {error.message}</p>;
  }

  return (
    <table>
      <thead>
        <tr>
          {(["id", "customer", "total"] as const).map((name) => (
            <th key={name} scope="col">
              <SortButton
                active={name === key}
                onClick={() => {
                  setKey(name);
                  window.scrollTo({ top: 0 });
                }}
              >
                {name.toUpperCase()}
              </SortButton>
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {orders.map((order) => {
          const count = order.lines.reduce((sum, line) => sum + line.count, 0);
          const title = `${order.customer}: ${count} item${count === 1 ? "" : "s"}`;
          return (
            <tr key={order.id} title={title} onDoubleClick={() => onOpen(order)}>
              <td>#{order.id}</td>
              <td>{order.customer}</td>
              <td align="right">{money.format(order.total)}</td>
            </tr>
          );
        })}
        {orders.length === 0 && (
          <tr>
            <td colSpan={3}>No orders &mdash; yet.</td>
          </tr>
        )}
      </tbody>
    </table>
  );
}
