-- Tables of the warehouse, and what the dashboard asks of them.
CREATE TABLE product (
    id integer PRIMARY KEY,
    sku varchar(32) NOT NULL UNIQUE,
    name text NOT NULL,
    price numeric(10, 2) DEFAULT 0,
    added_at timestamp NOT NULL
);

CREATE TABLE stock (
    product_id integer REFERENCES product (id),
    shelf varchar(8) NOT NULL,
    pieces integer NOT NULL,
    PRIMARY KEY (product_id, shelf)
);

CREATE INDEX stock_by_shelf ON stock (shelf);

INSERT INTO product (id, sku, name, price, added_at)
VALUES
    (1, 'A-100', 'Teapot', 24.00, '2024-01-05'),
    (2, 'B-205', 'Cup and saucer', 7.50, '2024-02-11');

UPDATE stock
SET pieces = pieces - 2
WHERE product_id = 2 AND shelf = 'W3';

DELETE FROM stock
WHERE pieces = 0;

-- What runs out first.
SELECT
    p.sku,
    p.name,
    sum(s.pieces) AS pieces,
    max(s.pieces) AS largest
FROM product AS p
JOIN stock AS s ON s.product_id = p.id
WHERE p.price > 5
GROUP BY p.sku, p.name
HAVING sum(s.pieces) < 10
ORDER BY pieces ASC, p.name
LIMIT 20;

CREATE VIEW value_by_shelf AS
SELECT
    s.shelf,
    sum(s.pieces * p.price) AS value
FROM stock AS s
LEFT JOIN product AS p ON p.id = s.product_id
GROUP BY s.shelf;

WITH recent AS (
    SELECT id, name
    FROM product
    WHERE added_at > '2024-02-01'
)
SELECT
    r.name,
    CASE
        WHEN s.pieces > 100 THEN 'plenty'
        WHEN s.pieces > 0 THEN 'some'
        ELSE 'none'
    END AS amount
FROM recent AS r
LEFT JOIN stock AS s ON s.product_id = r.id
ORDER BY r.name;

ALTER TABLE product ADD COLUMN weight_grams integer;
