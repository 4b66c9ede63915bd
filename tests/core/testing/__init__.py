"""Tests of `trustedproxy.testing`, by what a policy makes of its requests."""
