import 'dart:async';

import 'package:flutter/material.dart';

import 'cart_store.dart';

/// What a customer is about to buy.
class CartPage extends StatefulWidget {
  const CartPage({super.key, required this.store, this.currency = 'EUR'});

  final CartStore store;
  final String currency;

  @override
  State<CartPage> createState() => _CartPageState();
}

class _CartPageState extends State<CartPage> {
  late StreamSubscription<CartEvent> _subscription;
  final List<CartLine> _lines = [];
  bool _busy = false;
  String? _error;

  @override
  void initState() {
    super.initState();
    _subscription = widget.store.events.listen((event) {
      setState(() {
        _lines.clear();
        _lines.addAll(event.lines);
      });
    });
  }

  @override
  void dispose() {
    _subscription.cancel();
    super.dispose();
  }

  double get total => _lines.fold(0.0, (sum, line) => sum + line.price * line.count);

  Future<void> _checkout() async {
    if (_busy || _lines.isEmpty) {
      return;
    }
    setState(() => _busy = true);

    try {
      final order = await widget.store.checkout(_lines);
      debugPrint('order ${order.id} placed');
      _error = null;
    } on OutOfStock catch (problem) {
      _error = 'sold out: ${problem.name}';
    } catch (problem) {
      _error = problem.toString();
    } finally {
      setState(() => _busy = false);
    }
  }

  String _label(CartLine line) {
    switch (line.kind) {
      case LineKind.gift:
        return 'gift';
      case LineKind.discount:
        final percent = (line.price * 100).round();
        return '$percent% off';
      default:
        return line.name;
    }
  }

  @override
  Widget build(BuildContext context) {
    final theme = Theme.of(context);
    final rows = <Widget>[];
    for (final line in _lines) {
      final price = line.price.toStringAsFixed(2);
      rows.add(ListTile(title: Text(_label(line)), trailing: Text(price)));
    }

    return Scaffold(
      appBar: AppBar(title: const Text('Cart')),
      body: ListView(children: rows),
      bottomNavigationBar: Padding(
        padding: const EdgeInsets.all(16),
        child: FilledButton(
          onPressed: _busy ? null : _checkout,
          child: Text('Pay $total ${widget.currency}', style: theme.textTheme.titleMedium),
        ),
      ),
    );
  }
}

enum LineKind { item, gift, discount }

mixin Priced {
  double get price;

  bool isFree() {
    return price == 0;
  }
}

extension CartLines on List<CartLine> {
  int get pieces {
    var count = 0;
    for (final line in this) {
      count += line.count;
    }
    return count;
  }
}

const help = '''
if (cart.isEmpty) {
  show nothing
''';

void main() {
  final store = CartStore();
  runApp(MaterialApp(home: CartPage(store: store)));
}
