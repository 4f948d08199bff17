"""Tests of the workbook itself: its lab, its upstreams, its menu and its text."""
