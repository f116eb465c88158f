-- show_delivery: reads a delivery with its attempts; changes nothing.
-- ARGV: id. Returns what delivery_of says; a record '' is no delivery.
return delivery_of(ARGV[1], true)
