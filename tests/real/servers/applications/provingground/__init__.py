"""
The applications that run behind the real servers.

In:  a header ``Proving-Application`` that names one, and the policy in the
environment, under the names of the settings (``TRUSTED_PROXY_…``).
Out: JSON: what the application sees of the request, as `answers` describes it.

``raw`` is the bare echo without any policy: what the server itself hands over.
"""
