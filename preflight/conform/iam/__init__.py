"""The part of IAM that this project uses: AWS's action data, the calls for each resource, and whether IAM allows them."""
