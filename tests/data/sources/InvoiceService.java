package org.example.billing;

import java.io.BufferedReader;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.*;
import java.util.function.Function;
import java.util.stream.Collectors;
import static java.util.Objects.requireNonNull;

/**
 * Invoices from orders. All amounts are in cents.
 *
 * <pre>{@code
 * new InvoiceService(clock).issue(order);
 * }</pre>
 */
@Service
@SuppressWarnings({"unused", "unchecked"})
public class InvoiceService implements AutoCloseable {

    private static final String TEMPLATE = """
        <invoice number="%d">
            { "total": %s }
        </invoice>
        """;

    public enum Status {
        OPEN, PAID("settled"), CANCELLED;

        private final String label;

        Status() {
            this(null);
        }

        Status(String label) {
            this.label = label;
        }
    }

    public record Line(String sku, int count, long cents) {
        public Line {
            if (count <= 0) {
                throw new IllegalArgumentException("count: " + count);
            }
        }

        long total() {
            return count * cents;
        }
    }

    private final Map<Long, List<Line>> lines = new TreeMap<>();
    private volatile boolean closed;

    @Override
    public synchronized void close() {
        closed = true;
        lines.clear();
    }

    /** Reads lines of the form {@code sku;count;cents}. */
    public List<Line> read(Path file) throws IOException {
        List<Line> result = new ArrayList<>();
        try (BufferedReader reader = Files.newBufferedReader(file)) {
            String text;
            while ((text = reader.readLine()) != null) {
                if (text.isBlank() || text.startsWith("#")) continue;
                String[] parts = text.split(";");
                result.add(new Line(parts[0], Integer.parseInt(parts[1]), Long.parseLong(parts[2])));
            }
        } catch (NumberFormatException e) {
            throw new IOException("bad number in " + file, e);
        } finally {
            log("read " + result.size() + " lines");
        }
        return result;
    }

    public long discount(Status status, int years) {
        long percent = 0;
        switch (status) {
            case OPEN:
                percent = years > 5 ? 10 : 5;
                break;
            case PAID:
            case CANCELLED:
                percent = 0;
                break;
            default:
                throw new AssertionError(status);
        }
        return switch (years) {
            case 0, 1 -> 0;
            case 2 -> {
                long base = percent / 2;
                yield base + 1;
            }
            default -> percent;
        };
    }

    public <K extends Comparable<? super K>> Map<K, Long> totals(Function<? super Line, ? extends K> key) {
        return lines.values().stream()
            .flatMap(List::stream)
            .collect(Collectors.groupingBy(
                key,
                TreeMap::new,
                Collectors.summingLong(Line::total)));
    }

    public Runnable reminder(long number) {
        return new Runnable() {
            private int sent = 0;

            @Override
            public void run() {
                if (closed) {
                    return;
                }
                sent++;
                lines.forEach((id, list) -> {
                    if (id == number) {
                        log(String.format(TEMPLATE, id, list));
                    }
                });
            }
        };
    }

    private static void log(String message) {
        System.out.println(requireNonNull(message));
    }
}
