"""JSON Schemas (2020-12) of what people write and of the state, made from the nouns and from what YAML adds to them."""
