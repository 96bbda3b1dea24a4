"""The component package's host, for programs in other languages: schema, inputs, and errors about wrong arguments."""
