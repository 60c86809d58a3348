"""What an authority decided before the draw: the plan with its quotas, caps, crews and rules, as data."""
