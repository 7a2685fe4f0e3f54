//! An OCI registry (distribution-spec v1.1): manifests, referrers and blobs.

mod auth;
mod credentials;

use super::http::header::{ACCEPT, CONTENT_TYPE, LINK, LOCATION};
use super::http::{Answer, Http, Method, Request, StatusCode, Url};
use crate::ci::Env;
use crate::flow::ports::{self, Fault, Service, ServiceError, SubjectNoted};
use crate::image::{
    Digest, ImageIndex, Manifest, ManifestError, PinnedImage, Repository, Version, media_type,
};
use crate::limits;
use auth::Auth;

pub use auth::Access;

/// The registries of a run, each with the authorization that it asked for.
pub struct Registry<'a> {
    http: &'a Http,
    auth: Auth<'a>,
}

impl<'a> Registry<'a> {
    /// Registries reached with `http`, for reading or for writing as well, with the credentials that `env` leads to.
    pub fn new(http: &'a Http, env: &'a Env, access: Access) -> Self {
        Self {
            http,
            auth: Auth::new(http, env, access),
        }
    }

    /// Sends a request, authorized as the registry asks. Another host, to which a redirect or an upload may lead, gets no
    /// authorization and cannot ask for one (as containerd's CVE-2020-15157 allowed).
    async fn send<'r>(
        &self,
        repository: &Repository,
        limit: usize,
        request: impl Fn() -> Result<Request<'r>, ServiceError>,
    ) -> Result<Answer, ServiceError> {
        let home = self.get(&self.url(repository, ""), &[])?.origin();
        let first = request()?;
        if first.origin() != home {
            return first.send(limit).await;
        }
        let known = self.auth.known(repository).await;
        let answer = known.apply(first).send(limit).await?;
        if answer.status != StatusCode::UNAUTHORIZED || answer.origin != home {
            return Ok(answer);
        }
        let authorization = self
            .auth
            .answer_challenge(repository, &answer, &known)
            .await?;
        authorization.apply(request()?).send(limit).await
    }

    fn get(&self, url: &str, accept: &[&str]) -> Result<Request<'_>, ServiceError> {
        let request = self.http.request(Service::Registry, Method::GET, url)?;
        Ok(accept
            .iter()
            .fold(request, |request, accept| request.header(ACCEPT, accept)))
    }

    fn url(&self, repository: &Repository, rest: &str) -> String {
        let host = match repository.registry() {
            "docker.io" => "registry-1.docker.io",
            host => host,
        };
        let scheme = if self.http.is_plain(host) {
            "http"
        } else {
            "https"
        };
        format!("{scheme}://{host}/v2/{}/{rest}", repository.path())
    }

    /// Ends an upload session: the whole content in one request.
    async fn finish_upload(
        &self,
        repository: &Repository,
        opened: &Answer,
        bytes: &[u8],
    ) -> Result<(), ServiceError> {
        let base = self.url(repository, "blobs/uploads/");
        let location = opened
            .header(LOCATION)
            .ok_or_else(|| opened.unexpected("no place to upload to"))?;
        // Relative locations are allowed, and the location's own query must be kept (distribution-spec, "Pushing blobs").
        let mut url = Url::parse(&base)
            .and_then(|base| base.join(location))
            .map_err(|error| opened.unexpected(format!("no place to upload to: {error}")))?;
        url.query_pairs_mut()
            .append_pair("digest", &Digest::of(bytes).to_string());
        let put = || {
            let request = self
                .http
                .request(Service::Registry, Method::PUT, url.as_str())?;
            Ok(request.body("application/octet-stream", bytes.to_vec()))
        };
        self.send(repository, limits::SERVICE_ANSWER_BYTES, put)
            .await?
            .stored()
            .map(drop)
    }
}

impl ports::Registry for Registry<'_> {
    async fn manifest(
        &self,
        repository: &Repository,
        version: &Version,
    ) -> Result<Option<Manifest>, ServiceError> {
        let url = self.url(repository, &format!("manifests/{version}"));
        let answer = self
            .send(repository, limits::MANIFEST_BYTES, || {
                self.get(&url, &media_type::ANY_IMAGE)
            })
            .await?;
        if answer.status == StatusCode::NOT_FOUND {
            return Ok(None);
        }
        let answer = answer.success()?;
        let media_type = answer.header(CONTENT_TYPE).unwrap_or_default();
        let media_type = media_type
            .split(';')
            .next()
            .unwrap_or_default()
            .trim()
            .to_owned();
        // A login page has a digest too: taken for the image, it would be one without signatures.
        if !media_type::ANY_IMAGE.contains(&media_type.as_str()) {
            return Err(answer.unexpected(format!("no manifest but `{media_type}`")));
        }
        Ok(Some(Manifest::new(media_type, answer.body)))
    }

    async fn referrers(&self, image: &PinnedImage) -> Result<Option<ImageIndex>, ServiceError> {
        let mut url = self.url(image.repository(), &format!("referrers/{}", image.digest()));
        let mut all = ImageIndex::default();
        let mut left = limits::MANIFEST_BYTES;
        for page in 0..limits::REFERRERS_PAGES {
            let accept = [media_type::IMAGE_INDEX];
            let answer = self
                .send(image.repository(), left, || self.get(&url, &accept))
                .await?;
            // Registries without the API say so in several ways; only these mean that there is none. Where a first page
            // was, the API is: the rest of the list is then missing, not absent.
            let is_absence = matches!(answer.status.as_u16(), 400 | 404 | 405 | 406 | 501);
            if page == 0 && is_absence {
                return Ok(None);
            }
            let answer = answer.success()?;
            let is_index = answer
                .header(CONTENT_TYPE)
                .is_some_and(|kind| kind.starts_with(media_type::IMAGE_INDEX));
            match (is_index, page) {
                (true, _) => {}
                (false, 0) => return Ok(None),
                (false, _) => return Err(answer.unexpected("no list of referrers")),
            }
            left = left.saturating_sub(answer.body.len());
            let entries =
                ImageIndex::parse(&answer.body).map_err(|error| unlisted(error, &answer))?;
            all.extend(entries)
                .map_err(|error| unlisted(error, &answer))?;
            match next_page(&answer, &url)? {
                Some(next) => url = next,
                None => return Ok(Some(all)),
            }
        }
        // A list that is cut short could hide a signature, so it is not used.
        Err(ServiceError {
            service: Service::Registry,
            url,
            fault: Fault::TooManyReferrers,
        })
    }

    async fn blob(
        &self,
        repository: &Repository,
        digest: &Digest,
        limit: usize,
    ) -> Result<Option<Vec<u8>>, ServiceError> {
        let url = self.url(repository, &format!("blobs/{digest}"));
        let answer = self.send(repository, limit, || self.get(&url, &[])).await?;
        if answer.status == StatusCode::NOT_FOUND {
            return Ok(None);
        }
        Ok(Some(answer.success()?.body))
    }

    async fn push_blob(&self, repository: &Repository, bytes: &[u8]) -> Result<(), ServiceError> {
        // One request where the registry can do that; one that cannot opens an upload session instead.
        let url = self.url(
            repository,
            &format!("blobs/uploads/?digest={}", Digest::of(bytes)),
        );
        let post = || {
            let request = self.http.request(Service::Registry, Method::POST, &url)?;
            Ok(request.body("application/octet-stream", bytes.to_vec()))
        };
        let answer = self
            .send(repository, limits::SERVICE_ANSWER_BYTES, post)
            .await?
            .stored()?;
        match answer.status {
            StatusCode::ACCEPTED => self.finish_upload(repository, &answer, bytes).await,
            _ => Ok(()),
        }
    }

    async fn push_manifest(
        &self,
        repository: &Repository,
        version: &Version,
        manifest: &Manifest,
    ) -> Result<SubjectNoted, ServiceError> {
        let url = self.url(repository, &format!("manifests/{version}"));
        let put = || {
            let request = self.http.request(Service::Registry, Method::PUT, &url)?;
            Ok(request.body(manifest.media_type(), manifest.bytes().to_vec()))
        };
        let answer = self
            .send(repository, limits::SERVICE_ANSWER_BYTES, put)
            .await?
            .stored()?;
        Ok(match answer.header("oci-subject") {
            Some(_) => SubjectNoted::Yes,
            None => SubjectNoted::No,
        })
    }
}

/// Why a page of referrers was not added to the list.
fn unlisted(error: ManifestError, answer: &Answer) -> ServiceError {
    match error {
        ManifestError::TooMany { .. } => answer.failed(Fault::TooManyReferrers),
        ManifestError::Json(_) => answer.unexpected(error.to_string()),
    }
}

/// The next page of a list (RFC 8288 `Link` with the relation `next`), on the same registry.
fn next_page(answer: &Answer, url: &str) -> Result<Option<String>, ServiceError> {
    for links in answer.headers.get_all(LINK) {
        let links = links.to_str().unwrap_or_default();
        // A link that cannot be read may be the one to the rest of the list.
        if !links.contains('<') {
            return Err(answer.unexpected("a link without an address"));
        }
        for link in links.split('<').skip(1) {
            let (target, parameters) = link.split_once('>').unwrap_or((link, ""));
            if !parameters.split([';', ',']).any(is_next) {
                continue;
            }
            let base = Url::parse(url).ok();
            let next = base.and_then(|base| Some((base.join(target).ok()?, base.origin())));
            return match next {
                Some((next, origin)) if next.origin() == origin => Ok(Some(next.into())),
                _ => Err(answer.unexpected("a next page on another host")),
            };
        }
    }
    Ok(None)
}

/// Whether a parameter of a link is `rel` with `next` among its relations.
fn is_next(parameter: &str) -> bool {
    parameter.split_once('=').is_some_and(|(name, relations)| {
        name.trim().eq_ignore_ascii_case("rel")
            && relations
                .trim()
                .trim_matches('"')
                .split_ascii_whitespace()
                .any(|relation| relation.eq_ignore_ascii_case("next"))
    })
}
