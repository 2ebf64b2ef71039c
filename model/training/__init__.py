"""How the small checkpoint in model/tiny was trained and measured."""
