"""Media types that schemathesis does not know how to write: text, which is sent as it is."""

import schemathesis


@schemathesis.serializer("application/x-ndjson", "text/tab-separated-values")
def as_it_is(context, value):
    return value if isinstance(value, bytes) else str(value).encode()
