"""Who told a story first: for each copy the telling that it carries, and the number of independent origins."""
