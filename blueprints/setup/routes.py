"""The blueprint that the views of this folder register with."""

from flask import Blueprint

blueprint = Blueprint("setup", __name__)
