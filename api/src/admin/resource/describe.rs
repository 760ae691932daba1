//! The description of one kind's four routes, made from what the kind says of itself.

use super::Resource;
use crate::admin::call::{List, Read};
use crate::admin::problem::Problem;
use utoipa::openapi::path::{
    HttpMethod, OperationBuilder, ParameterBuilder, ParameterIn, PathItem,
};
use utoipa::openapi::request_body::RequestBodyBuilder;
use utoipa::openapi::schema::{AllOfBuilder, ArrayBuilder, ObjectBuilder, Schema, Type};
use utoipa::openapi::{
    Content, OpenApi, Ref, RefOr, Required, Response, ResponseBuilder, ResponsesBuilder,
};
use utoipa::{IntoParams, ToSchema};

/// Adds the routes of a kind and the schemas of what they take and answer.
pub(in crate::admin) fn describe<R: Resource>(api: &mut OpenApi) {
    let all = format!("/admin/v1/{}", R::PATH);
    let one = format!("{all}/{{name}}");
    add::<R>(api, &all, HttpMethod::Get, list::<R>());
    add::<R>(api, &one, HttpMethod::Get, read::<R>());
    add::<R>(api, &one, HttpMethod::Put, put::<R>());
    add::<R>(api, &one, HttpMethod::Delete, delete::<R>());
    keep::<R::Object>(api);
    keep::<R::Settings>(api);
    keep::<Problem>(api);
}

fn add<R: Resource>(api: &mut OpenApi, path: &str, method: HttpMethod, told: OperationBuilder) {
    let problem = answer("What is wrong.", Ref::from_schema_name(Problem::name()).into());
    let operation = told.tag(R::PATH).response("default", problem).build();
    let item = PathItem::new(method, operation);
    match api.paths.paths.get_mut(path) {
        Some(present) => present.merge_operations(item),
        None => {
            api.paths.paths.insert(path.to_owned(), item);
        }
    }
}

/// Keeps the schema of a type, and those of what it is made of.
fn keep<T: ToSchema>(api: &mut OpenApi) {
    let mut schemas = vec![(T::name().into_owned(), T::schema())];
    T::schemas(&mut schemas);
    let components = api.components.get_or_insert_default();
    components.schemas.extend(schemas);
}

fn operation(verb: &str, noun: &str, summary: &str) -> OperationBuilder {
    OperationBuilder::new()
        .operation_id(Some(format!("{verb}_{}", noun.replace('-', "_"))))
        .summary(Some(summary))
}

fn list<R: Resource>() -> OperationBuilder {
    let text = ObjectBuilder::new()
        .schema_type(Type::String)
        .description(Some("`cursor` of the next page; absent on the last one."));
    let page = ObjectBuilder::new()
        .property("items", ArrayBuilder::new().items(Ref::from_schema_name(R::Object::name())))
        .property("next_cursor", text)
        .required("items");
    operation("list", R::PATH, R::LISTS)
        .parameters(Some(List::into_params(|| None)))
        .responses(ok("A page, by name.", page.into()))
}

fn read<R: Resource>() -> OperationBuilder {
    operation("read", R::KIND, &format!("Shows one {}.", R::KIND))
        .parameter(name())
        .parameters(Some(Read::into_params(|| None)))
        .responses(ok("The object.", Ref::from_schema_name(R::Object::name()).into()))
}

fn put<R: Resource>() -> OperationBuilder {
    let settings = RefOr::Ref(Ref::from_schema_name(R::Settings::name()));
    let body = RequestBodyBuilder::new()
        .content("application/json", Content::new(Some(settings)))
        .required(Some(Required::True));
    operation("put", R::KIND, R::PUTS)
        .parameter(name())
        .request_body(Some(body.build()))
        .responses(ok("Replaced.", written::<R>()))
        .response("201", answer("Created.", written::<R>()))
}

fn delete<R: Resource>() -> OperationBuilder {
    operation("delete", R::KIND, R::DELETES)
        .parameter(name())
        .responses(ok("The object as it was last.", written::<R>()))
}

/// The object, and where the write stands in the log.
fn written<R: Resource>() -> RefOr<Schema> {
    let whole = |means| ObjectBuilder::new().schema_type(Type::Integer).description(Some(means));
    let label = ObjectBuilder::new().schema_type(Type::String);
    let log = ObjectBuilder::new()
        .property(
            "log_index",
            whole("Log index of the write: `?min_index=` of it shows the write on any node."),
        )
        .property(
            "not_confirmed_by",
            ArrayBuilder::new().items(label).description(Some(
                "Nodes that could not be asked or did not confirm in time; they apply it when they are back.",
            )),
        )
        .required("log_index")
        .required("not_confirmed_by");
    AllOfBuilder::new().item(Ref::from_schema_name(R::Object::name())).item(log).into()
}

fn name() -> ParameterBuilder {
    ParameterBuilder::new()
        .name("name")
        .parameter_in(ParameterIn::Path)
        .required(Required::True)
        .schema(Some(ObjectBuilder::new().schema_type(Type::String)))
}

fn ok(says: &str, schema: RefOr<Schema>) -> utoipa::openapi::Responses {
    ResponsesBuilder::new().response("200", answer(says, schema)).build()
}

fn answer(says: &str, schema: RefOr<Schema>) -> Response {
    ResponseBuilder::new()
        .description(says)
        .content("application/json", Content::new(Some(schema)))
        .build()
}
