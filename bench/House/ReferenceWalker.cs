using System.Reflection.Metadata;
using System.Reflection.PortableExecutable;
using System.Runtime.CompilerServices;

namespace Marl.Native.Bench.House;

/// <summary>
/// Reports every reference from a type of an assembly to a type, as (from, to, member): full names of types that are not nested, and where in the first it is.
/// </summary>
internal sealed class ReferenceWalker
{
    private readonly PEReader image;
    private readonly MetadataReader code;
    private readonly TypeNames names;
    private string from = "", member = "";

    public ReferenceWalker(PEReader image, MetadataReader code, Action<string, string, string> found)
        => (this.image, this.code, names) = (image, code, new TypeNames(to => found(from, to, member)));

    /// <summary>Walks all types of the assembly.</summary>
    public void Walk()
    {
        foreach (var handle in code.TypeDefinitions)
        {
            from = DependencyGraph.FullName(code, handle);
            Walk(code.GetTypeDefinition(handle));
        }
    }

    private void Walk(TypeDefinition type)
    {
        string typeName = code.GetString(type.Name);
        member = "base type";
        Use(type.BaseType);
        member = "interface";
        foreach (var handle in type.GetInterfaceImplementations())
        {
            Use(code.GetInterfaceImplementation(handle).Interface);
        }

        member = "type parameter";
        Walk(type.GetGenericParameters());
        member = "attribute";
        Walk(type.GetCustomAttributes());
        foreach (var handle in type.GetFields())
        {
            var field = code.GetFieldDefinition(handle);
            member = Describe("field", code.GetString(field.Name), typeName);
            field.DecodeSignature(names, null);
            Walk(field.GetCustomAttributes());
        }
        foreach (var handle in type.GetProperties())
        {
            var property = code.GetPropertyDefinition(handle);
            member = Describe("property", code.GetString(property.Name), typeName);
            property.DecodeSignature(names, null);
            Walk(property.GetCustomAttributes());
        }
        foreach (var handle in type.GetEvents())
        {
            member = Describe("event", code.GetString(code.GetEventDefinition(handle).Name), typeName);
            Use(code.GetEventDefinition(handle).Type);
            Walk(code.GetEventDefinition(handle).GetCustomAttributes());
        }
        foreach (var handle in type.GetMethods())
        {
            if (!IsSynthesized(code.GetMethodDefinition(handle)))
            {
                Walk(code.GetMethodDefinition(handle), typeName);
            }
        }
    }

    // A record's equality or the accessors of an automatic property name no more than its fields. Lambdas and local functions have brackets in their names.
    private bool IsSynthesized(MethodDefinition method)
        => !code.GetString(method.Name).Contains('<', StringComparison.Ordinal) && method.GetCustomAttributes().Any(handle =>
            code.GetCustomAttribute(handle).Constructor is { Kind: HandleKind.MemberReference } constructor
            && code.GetMemberReference((MemberReferenceHandle)constructor).Parent is { Kind: HandleKind.TypeReference } type
            && code.GetString(code.GetTypeReference((TypeReferenceHandle)type).Name) == nameof(CompilerGeneratedAttribute));

    private void Walk(MethodDefinition method, string typeName)
    {
        member = Describe("method", code.GetString(method.Name), typeName);
        method.DecodeSignature(names, null);
        Walk(method.GetGenericParameters());
        Walk(method.GetCustomAttributes());
        foreach (var handle in method.GetParameters())
        {
            Walk(code.GetParameter(handle).GetCustomAttributes());
        }

        if (method.RelativeVirtualAddress == 0)
        {
            return;
        }
        var body = image.GetMethodBody(method.RelativeVirtualAddress);
        if (!body.LocalSignature.IsNil)
        {
            Use(body.LocalSignature);
        }

        foreach (var region in body.ExceptionRegions)
        {
            Use(region.CatchType);
        }

        foreach (var token in Instructions.Tokens(body.GetILReader()))
        {
            Use(token);
        }
    }

    private void Walk(GenericParameterHandleCollection parameters)
    {
        foreach (var handle in parameters)
        {
            var parameter = code.GetGenericParameter(handle);
            foreach (var constraint in parameter.GetConstraints())
            {
                Use(code.GetGenericParameterConstraint(constraint).Type);
            }

            Walk(parameter.GetCustomAttributes());
        }
    }

    private void Walk(CustomAttributeHandleCollection attributes)
    {
        foreach (var handle in attributes)
        {
            var attribute = code.GetCustomAttribute(handle);
            Use(attribute.Constructor);
            attribute.DecodeValue(names);
        }
    }

    private void Use(EntityHandle handle)
    {
        if (handle.IsNil)
        {
            return;
        }
        switch (handle.Kind)
        {
            case HandleKind.TypeDefinition:
                names.GetTypeFromDefinition(code, (TypeDefinitionHandle)handle, 0);
                break;
            case HandleKind.TypeReference:
                names.GetTypeFromReference(code, (TypeReferenceHandle)handle, 0);
                break;
            case HandleKind.TypeSpecification:
                names.GetTypeFromSpecification(code, null, (TypeSpecificationHandle)handle, 0);
                break;
            case HandleKind.MethodDefinition:
                var method = code.GetMethodDefinition((MethodDefinitionHandle)handle);
                Use(method.GetDeclaringType());
                method.DecodeSignature(names, null);
                break;
            case HandleKind.FieldDefinition:
                var field = code.GetFieldDefinition((FieldDefinitionHandle)handle);
                Use(field.GetDeclaringType());
                field.DecodeSignature(names, null);
                break;
            case HandleKind.MemberReference:
                var reference = code.GetMemberReference((MemberReferenceHandle)handle);
                Use(reference.Parent);
                if (reference.GetKind() == MemberReferenceKind.Field)
                {
                    reference.DecodeFieldSignature(names, null);
                }
                else
                {
                    reference.DecodeMethodSignature(names, null);
                }

                break;
            case HandleKind.MethodSpecification:
                var instance = code.GetMethodSpecification((MethodSpecificationHandle)handle);
                Use(instance.Method);
                instance.DecodeSignature(names, null);
                break;
            case HandleKind.StandaloneSignature when code.GetStandaloneSignature((StandaloneSignatureHandle)handle) is var signature:
                if (signature.GetKind() == StandaloneSignatureKind.LocalVariables)
                {
                    signature.DecodeLocalSignature(names, null);
                }
                else
                {
                    signature.DecodeMethodSignature(names, null);
                }

                break;
        }
    }

    // Closures, iterators, local functions and fields of properties have the name of what they come from in brackets: "<Run>b__3_0", "<Run>d__5.MoveNext".
    private static string Describe(string kind, string name, string typeName)
    {
        string written = Bracketed(name) ?? Bracketed(typeName) ?? name;
        return written.StartsWith("get_", StringComparison.Ordinal) || written.StartsWith("set_", StringComparison.Ordinal) ? $"property {written[4..]}"
            : name.EndsWith(">k__BackingField", StringComparison.Ordinal) ? $"property {written}"
            : written is ".ctor" or ".cctor" ? "constructor" : written == name ? $"{kind} {name}" : $"method {written}";
    }

    private static string? Bracketed(string name)
        => name.IndexOf('<', StringComparison.Ordinal) is >= 0 and int start
            && name.IndexOf('>', start) is int end && end > start + 1 ? name[(start + 1)..end] : null;
}
