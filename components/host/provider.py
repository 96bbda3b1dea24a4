"""The provider behind the package: the schema, and the construction of a component for a program in any language."""

import json
from typing import Any, cast

import pulumi
from pulumi.errors import InputPropertiesError
from pulumi.provider import ConstructResult
from pulumi.provider.experimental.component import ComponentProvider
from pulumi.provider.server import ComponentInitError
from pydantic import ValidationError

from components import component
from components.args import Args
from components.host.inputs import Problems, arguments
from components.host.models import args_of, spelled
from components.host.refusals import NOT_SHOWN, detail, of_validation, of_value, refused, shown, unknown_names
from components.host.schema import completed


class PackageProvider(ComponentProvider):
    """Hosts the components. Wrong arguments are refused with ``InputPropertiesError``, which the engine prints by property."""

    def __init__(self, components: list[type[pulumi.ComponentResource]], name: str, version: str) -> None:
        super().__init__(components, name, version=version)
        self._hosted = {component.__name__: component for component in components}
        self.schema = completed(self.schema or "", components)

    def construct(
        self, name: str, resource_type: str, inputs: pulumi.Inputs, options: pulumi.ResourceOptions | None = None
    ) -> ConstructResult:
        """Validate the inputs, compare account and region with the provider's, and create the component.

        Raises ``InputPropertiesError`` for wrong inputs. An error of the component that is not about its arguments is
        raised unchanged, with its traceback.
        """
        self.validate_resource_type(self._name, resource_type)
        token = resource_type.rpartition(":")[2]
        hosted = self._hosted[token]
        args = self._validated(hosted, cast("dict[str, object]", inputs), options)
        try:
            made = cast(Any, hosted)(name, args, options)
        except (InputPropertiesError, pulumi.RunError):
            raise
        except ValueError as error:
            raise InputPropertiesError(f"{token}: {of_value(error)}", []) from error
        except Exception as error:
            raise ComponentInitError(error) from error
        return ConstructResult(made.urn, self.get_state(made, self._component_defs[token]))

    def _validated(
        self,
        hosted: type[pulumi.ComponentResource],
        inputs: dict[str, object],
        options: pulumi.ResourceOptions | None,
    ) -> Args:
        model, problems = args_of(hosted), Problems()
        problems += unknown_names(model, inputs)
        given = arguments(model, inputs, problems)
        unresolved = {one["property_path"].removesuffix(NOT_SHOWN) for one in problems}
        try:
            args = model.model_validate(given)
        except ValidationError as error:
            problems += [one for one in of_validation(model, error) if one["property_path"] not in unresolved]
            raise refused(hosted.__name__, problems) from None
        if problems := problems or of_another_account(args, options):
            raise refused(hosted.__name__, problems)
        return args


def of_another_account(args: Args, options: pulumi.ResourceOptions | None) -> Problems:
    """Account and region that are not those of the AWS provider that creates the resources, in the caller's spelling."""
    return [
        detail(
            spelled(one.field),
            value=shown(one.field, one.value),
            allowed=f'"{one.actual}", the {one.what} of the AWS provider',
            fix=f"pass the provider's {one.what}, or a provider for this {one.what}",
        )
        for one in component.of_another_account(args, options)
    ]


def schema_of(components: list[type[pulumi.ComponentResource]], name: str, version: str) -> str:
    """The schema as text, sorted and indented for review."""
    schema = PackageProvider(components, name, version).schema
    return json.dumps(json.loads(schema or "{}"), indent=2, sort_keys=True) + "\n"
