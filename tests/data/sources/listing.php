<?php $title = $title ?? 'Products'; ?>
<!DOCTYPE html>
<html>
<head>
    <title><?= htmlspecialchars($title) ?></title>
</head>
<body>
<?php if (count($products) > 0): ?>
    <ul>
    <?php foreach ($products as $product): ?>
        <li class="<?= $product->available ? 'on' : 'off' ?>">
            <?php
            $price = number_format($product->cents / 100, 2);
            echo htmlspecialchars("{$product->name}: {$price}");
            ?>
        </li>
    <?php endforeach; ?>
    </ul>
<?php else: ?>
    <p>Nothing here.</p>
<?php endif; ?>
<?php
function footer(array $links): void
{
    $shown = array_filter($links);
    ksort($shown);
    foreach ($shown as $name => $url) {
        if (str_starts_with($url, 'http:')) {
            $url = 'https:' . substr($url, 5);
        }
        echo "<a href=\"{$url}\">{$name}</a>\n";
    }
}
footer($links);
?>
</body>
</html>
