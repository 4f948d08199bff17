"""Each under the name of the variant that it stands beside, so that the lab serves it in that one's place."""
