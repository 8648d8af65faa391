"""From FLV tags to CMAF parts: codec parameters, packets, parts, one live stream."""
