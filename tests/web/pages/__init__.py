"""A small Flask app with every template's endpoints and sample contexts, to render and look at pages alone.

No product route and no product data: the real ones are tested through `app.create_app`.
"""
