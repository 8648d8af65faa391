"""The public edge: REST in Helix form, OpenAPI, and the web pages."""
