"""License plate recognition experiments: from an annotation JSON to a scored plate reading."""
