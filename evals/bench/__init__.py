"""What Rackside costs, each figure beside a raw baseline that is measured in the same run on the same machine."""
